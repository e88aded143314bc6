/** Where pushes go: the devices of a person. */
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
      current: Type.Boolean({ description: 'It belongs to the sign-in that asks.' }),
    },
    closed,
  ),
)
export type Device = Type.Static<typeof Device>

const KeyText = Type.String({ pattern: `^[A-Za-z0-9_-]{1,${keyLengthMax}}={0,2}$` })

/** What a service pushes by is with it, and what another one does is not. */
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
          description: 'With `fcm`: the registration token of the app.',
        }),
      ),
      subscription: Type.Optional(
        Type.Object(
          {
            endpoint: Type.String({ minLength: 1, maxLength: endpointLengthMax }),
            expirationTime: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
            keys: Type.Object({ p256dh: KeyText, auth: KeyText }, closed),
          },
          { ...closed, description: 'With `webpush`: what `PushSubscription.toJSON()` of the browser says.' },
        ),
      ),
    },
    closed,
  ),
)
const PushKey = Type.Object(
  {
    vapidPublicKey: Type.Optional(
      Type.String({ description: 'For `applicationServerKey`. Left out where there are no web pushes.' }),
    ),
  },
  closed,
)

export const devices = routes('devices', 'session', {
  listDevices: {
    at: 'GET /v1/devices',
    summary: 'List my devices',
    description: 'Those that get pushes; the last seen first.',
    answers: { 200: answered('The devices.', Type.Object({ devices: listOf(Device) }, closed)) },
  },
  registerDevice: {
    at: 'POST /v1/devices',
    summary: 'Register this device for pushes',
    description:
      'Call it at every start of the app: the same token renews the registration. The device ends with the session. A token belongs to whoever registered it last. Beyond 20 devices, the one unseen for longest goes.',
    body: Registration,
    answers: { 200: answered('It is registered, new or again.', Device) },
  },
  removeDevice: {
    at: 'DELETE /v1/devices/{id}',
    summary: 'Remove a device',
    description: 'Nothing is pushed to it any more. The session that registered it goes on.',
    params: ById,
    answers: done(),
    refusals: ['device_unknown'],
  },
  getPush: {
    at: 'GET /v1/push',
    summary: 'Read what a browser needs to subscribe to pushes',
    description: 'Give `vapidPublicKey` to `pushManager.subscribe` as the `applicationServerKey`.',
    answers: { 200: answered('The key; missing where this deployment sends no Web Push.', PushKey) },
  },
})
