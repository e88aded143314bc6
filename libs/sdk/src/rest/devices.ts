/** Where pushes go: the devices of a person. */
import type { Signed } from './signed.ts'

export type Platform = 'android' | 'ios' | 'web'

export interface Device {
  readonly id: string
  readonly name: string
  readonly platform: Platform
  readonly provider: 'fcm' | 'webpush'
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly seenAt: number
  /** It belongs to the sign-in that asks. */
  readonly current: boolean
}

/** A browser's `PushSubscriptionJSON`, also for programs whose types know no browser. */
export interface PushSubscriptionData {
  readonly endpoint?: string
  readonly expirationTime?: number | null
  readonly keys?: Readonly<Record<string, string>>
}

export type DeviceRegistration = {
  /** What the person calls it: 1 to 60 characters. */
  readonly name: string
  readonly platform: Platform
} & (
  | { readonly provider: 'fcm' /** The registration token of the app. */; readonly token: string }
  | {
      readonly provider: 'webpush'
      /** What `toJSON()` of the browser's subscription says. */
      readonly subscription: PushSubscriptionData
    }
)

export function createDevices(signed: Signed) {
  return {
    /** The last seen first. */
    list: () => signed<{ devices: readonly Device[] }>('GET', '/v1/devices'),
    /**
     * Registers this device. To be called at every start of the app: the same token again renews it. It ends with the
     * sign-in. @throws FlotillaError field_invalid
     */
    register: (device: DeviceRegistration) => signed<Device>('POST', '/v1/devices', { body: device }),
    /** @throws FlotillaError device_unknown */
    remove: (device: string) => signed<undefined>('DELETE', `/v1/devices/${encodeURIComponent(device)}`),
    /** `vapidPublicKey` is for `applicationServerKey` of a subscription; it is missing where there are no web pushes. */
    getPush: () => signed<{ vapidPublicKey?: string }>('GET', '/v1/push'),
  }
}
