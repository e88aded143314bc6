/** Where pushes go: the devices of a person. */
import { devices } from '@flotilla/chat'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, Device, DeviceName, saying } from '../shapes.ts'

const closed = { additionalProperties: false }
const tokenLengthMax = 4_096
const endpointLengthMax = 2_048
const keyLengthMax = 128

const { platform, provider } = Device.properties
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

export function deviceRoutes(app: Api, deps: RouteDeps): void {
  const { chat, settings, authenticate: preParsing } = deps
  const shared = { tags: ['devices'], security: [{ accessToken: [] }] }

  app.get(
    '/devices',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listDevices',
        summary: 'List my devices',
        description: 'Those that get pushes; the last seen first.',
        response: {
          200: answered('The devices.', Type.Object({ devices: Type.Array(Device) }, closed)),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => ({ devices: await devices.list(chat, request.caller) }),
  )

  app.post(
    '/devices',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'registerDevice',
        summary: 'Register this device for pushes',
        description:
          'Call it at every start of the app: the same token renews the registration. The device ends with the session. A token belongs to whoever registered it last. Beyond 20 devices, the one unseen for longest goes.',
        body: Registration,
        response: {
          200: answered('It is registered, new or again.', Device),
          ...refusals(...bodyCodes, 'unauthenticated'),
        },
      },
    },
    async request => devices.register(chat, request.caller, request.body, settings.webPushHosts),
  )

  app.delete(
    '/devices/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'removeDevice',
        summary: 'Remove a device',
        description: 'Nothing is pushed to it any more. The session that registered it goes on.',
        params: ById,
        response: { 204: Type.Null({ description: 'Done.' }), ...refusals('unauthenticated', 'device_unknown') },
      },
    },
    async (request, reply) => {
      await devices.remove(chat, request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/push',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'getPush',
        summary: 'Read what a browser needs to subscribe to pushes',
        description: 'Give `vapidPublicKey` to `pushManager.subscribe` as the `applicationServerKey`.',
        response: {
          200: answered(
            'The key; missing where this deployment sends no Web Push.',
            Type.Object(
              {
                vapidPublicKey: Type.Optional(
                  Type.String({ description: 'For `applicationServerKey`. Left out where there are no web pushes.' }),
                ),
              },
              closed,
            ),
          ),
          ...refusals('unauthenticated'),
        },
      },
    },
    async () => (settings.vapidPublicKey === undefined ? {} : { vapidPublicKey: settings.vapidPublicKey }),
  )
}
