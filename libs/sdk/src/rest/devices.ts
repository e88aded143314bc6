/** Devices that receive push notifications. */
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
  /** A name chosen by the user: 1 to 60 characters. */
  readonly name: string
  readonly platform: Platform
} & (
  | { readonly provider: 'fcm' /** The registration token of the app. */; readonly token: string }
  | {
      readonly provider: 'webpush'
      /** The result of `toJSON()` of the browser's subscription. */
      readonly subscription: PushSubscriptionData
    }
)

export const createDevices = (ask: Ask) => ({
  /** Most recently seen first. */
  list: () => ask('GET /v1/devices'),
  /**
   * Registers this device. Call it each time the app starts: the same token renews the registration, which ends with the
   * session. @throws FlotillaError field_invalid
   */
  register: (device: DeviceRegistration) =>
    // Browsers leave open whether a subscription has all of its fields.
    ask('POST /v1/devices', { body: device as BodyOf<'POST /v1/devices'> }),
  /** @throws FlotillaError device_unknown */
  remove: (device: string) => ask('DELETE /v1/devices/{id}', { id: device }),
  /** Use `vapidPublicKey` as `applicationServerKey`; missing if Web Push is not configured. */
  getPushKey: () => ask('GET /v1/push'),
})
