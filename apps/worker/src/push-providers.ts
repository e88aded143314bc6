/** The push services that a deployment has, by its settings. */
import type { FcmAccount } from './config.ts'
import { createFcm } from './push-fcm.ts'
import type { PushLimits, PushProvider } from './push-provider.ts'
import { createWebPush } from './push-web.ts'

export interface PushProvidersOptions {
  readonly fcm: FcmAccount | undefined
  /** All three, or none. */
  readonly vapid: {
    readonly publicKey: string | undefined
    readonly privateKey: string | undefined
    readonly subject: string | undefined
  }
  readonly limits: PushLimits
  /** What time it is, for when a push expires. */
  readonly clock: () => number
}

/** @throws Error when keys are missing or do not fit */
export async function openPushProviders(options: PushProvidersOptions): Promise<PushProvider[]> {
  const { limits, clock } = options
  const { publicKey, privateKey, subject } = options.vapid
  const given = [publicKey, privateKey, subject].filter(one => one !== undefined)
  if (given.length > 0 && given.length < 3)
    throw new Error('unable to start: VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT must be set together')
  return [
    ...(options.fcm === undefined ? [] : [await createFcm({ serviceAccount: options.fcm, limits, clock })]),
    ...(publicKey === undefined || privateKey === undefined || subject === undefined
      ? []
      : [createWebPush({ vapid: { publicKey, privateKey, subject }, limits })]),
  ]
}
