/** Devices that receive push notifications. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { answered, ById, closed, DeviceName, done, listOf, named, oneOf, saying } from './fields.ts'
import { routes } from './route.ts'

const tokenLengthMax = 4_096
const endpointLengthMax = 2_048
const keyLengthMax = 128

const platform = oneOf(['android', 'ios', 'web'])
const provider = oneOf(['fcm', 'webpush'])

export const Device = named(
  'Device',
  Type.Object(
    {
      id: Uuid,
      name: Type.String(),
      platform,
      provider,
      createdAt: At,
      seenAt: At,
      current: Type.Boolean({ description: 'Belongs to the current session.' }),
    },
    closed,
  ),
)
export type Device = Type.Static<typeof Device>

const KeyText = Type.String({ pattern: `^[A-Za-z0-9_-]{1,${keyLengthMax}}={0,2}$` })

/** The field a push service needs is required, and the other one is not allowed. */
const of = (service: string, needed: string, left: string) => ({
  properties: { provider: { const: service }, [left]: false },
  required: ['provider', needed],
})
const Registration = saying(
  { oneOf: [of('fcm', 'token', 'subscription'), of('webpush', 'subscription', 'token')] },
  Type.Object(
    {
      name: DeviceName,
      platform,
      provider,
      token: Type.Optional(
        Type.String({
          pattern: `^[\\x21-\\x7e]{1,${tokenLengthMax}}$`,
          description: 'For `fcm`: the app’s registration token.',
        }),
      ),
      subscription: Type.Optional(
        Type.Object(
          {
            endpoint: Type.String({ minLength: 1, maxLength: endpointLengthMax }),
            expirationTime: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
            keys: Type.Object({ p256dh: KeyText, auth: KeyText }, closed),
          },
          { ...closed, description: 'For `webpush`: the result of `PushSubscription.toJSON()`.' },
        ),
      ),
    },
    closed,
  ),
)
const PushKey = Type.Object(
  {
    vapidPublicKey: Type.Optional(
      Type.String({ description: 'Use it as `applicationServerKey`. Missing if Web Push is not configured.' }),
    ),
  },
  closed,
)

export const devices = routes('devices', 'session', {
  listDevices: {
    at: 'GET /v1/devices',
    summary: 'List my devices',
    description: 'Devices that receive push notifications, most recently seen first.',
    answers: { 200: answered('The devices.', Type.Object({ devices: listOf(Device) }, closed)) },
  },
  registerDevice: {
    at: 'POST /v1/devices',
    summary: 'Register this device for push notifications',
    description:
      'Call it each time the app starts: the same token renews the registration. The registration ends with the session. A token belongs to the user who registered it last. Beyond 20 devices, the least recently seen one is removed.',
    body: Registration,
    answers: { 200: answered('The device, new or renewed.', Device) },
  },
  removeDevice: {
    at: 'DELETE /v1/devices/{id}',
    summary: 'Remove a device',
    description: 'Stops its push notifications. Its session stays signed in.',
    params: ById,
    answers: done(),
    refusals: ['device_unknown'],
  },
  getPushKey: {
    at: 'GET /v1/push',
    summary: 'Get the Web Push key',
    description: 'Pass `vapidPublicKey` to `pushManager.subscribe` as `applicationServerKey`.',
    answers: { 200: answered('The key; missing if Web Push is not configured.', PushKey) },
  },
})
