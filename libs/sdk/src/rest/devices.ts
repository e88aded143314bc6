/** Where pushes go: the devices of a person. */
import type { Device } from '@flotilla/protocol'
import type { Ask, BodyOf } from './ask.ts'

export type Platform = Device['platform']

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

export const createDevices = (ask: Ask) => ({
  /** The last seen first. */
  list: () => ask('GET /v1/devices'),
  /**
   * Registers this device. To be called at every start of the app: the same token again renews it. It ends with the
   * sign-in. @throws FlotillaError field_invalid
   */
  register: (device: DeviceRegistration) =>
    // Browsers leave open whether a subscription has all of its fields.
    ask('POST /v1/devices', { body: device as BodyOf<'POST /v1/devices'> }),
  /** @throws FlotillaError device_unknown */
  remove: (device: string) => ask('DELETE /v1/devices/{id}', { id: device }),
  /** `vapidPublicKey` is for `applicationServerKey` of a subscription; it is missing where there are no web pushes. */
  getPush: () => ask('GET /v1/push'),
})
