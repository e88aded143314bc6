/** Passkeys: signing in and registering by one, and those that one has. */
import { passkeys, sessions } from '@flotilla/chat'
import { Uuid } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { addressOf, hashed, take } from '../limits.ts'
import {
  CreatedPasskey,
  CreationOptions,
  Passkey,
  PasskeyId,
  PasskeyName,
  RequestOptions,
  UsedPasskey,
} from '../passkey-shapes.ts'
import { creationOptions, newPasskey, requestOptions, shownPasskey } from '../passkeys.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { DeviceName, DisplayName, listOf, SignedIn, Username } from '../shapes.ts'
import { answerSignIn, CookieHeader, signInAnswers } from './sessions.ts'

const closed = { additionalProperties: false }

const toUse = Type.Object({ challenge: Uuid, options: RequestOptions }, closed)
const toCreate = Type.Object({ challenge: Uuid, options: CreationOptions }, closed)
const ofPasskey = Type.Object({ id: PasskeyId }, closed)

export function passkeySignInRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  const shared = { tags: ['sign-in'] }

  app.post(
    '/passkeys/options',
    {
      schema: {
        ...shared,
        operationId: 'beginPasskeySignIn',
        summary: 'What a passkey is to sign, to sign in',
        description: 'The authenticator offers what it has; nobody is named. Good for five minutes and one answer.',
        response: { 200: toUse, ...refusals() },
      },
    },
    async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const begun = await sessions.beginByPasskey(chat)
      return { challenge: begun.challenge, options: await requestOptions(deps, { ...begun, ownerChecked: true }) }
    },
  )

  app.post(
    '/sessions/by-passkey',
    {
      schema: {
        ...shared,
        operationId: 'signInByPasskey',
        summary: 'Sign in by a passkey',
        description: 'It must have checked its owner, which makes it two factors in one.',
        headers: CookieHeader,
        body: Type.Object({ challenge: Uuid, passkey: UsedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
        response: { ...signInAnswers, ...refusals(...bodyCodes, 'challenge_invalid', 'passkey_invalid') },
      },
    },
    async (request, reply) => {
      const { challenge, deviceName } = request.body
      const tried = hashed(request.body.passkey.id)
      await take(counter, `sign-in-passkey:${tried}:${addressOf(request)}`, settings.signIns)
      const passkey = shownPasskey(deps, request.body.passkey)
      const client = clientOf(deps, request, deviceName)
      const result = await sessions.signInByPasskey(chat, { challenge, passkey, client })
      return answerSignIn(app, deps, request, reply, result)
    },
  )

  app.post(
    '/users/by-passkey/options',
    {
      schema: {
        ...shared,
        operationId: 'beginPasskeyRegistration',
        summary: 'What a new passkey is to be made of, to register with it',
        body: Type.Object({ username: Username, displayName: Type.Optional(DisplayName) }, closed),
        response: { 200: toCreate, ...refusals(...bodyCodes, 'username_taken') },
      },
    },
    async request => {
      await take(counter, `register-passkey:${addressOf(request)}`, settings.registrations)
      const begun = await passkeys.beginRegister(chat, request.body)
      return { challenge: begun.challenge, options: await creationOptions(deps, begun) }
    },
  )

  app.post(
    '/users/by-passkey',
    {
      schema: {
        ...shared,
        operationId: 'registerByPasskey',
        summary: 'Register with a passkey and sign in',
        headers: CookieHeader,
        body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
        response: {
          201: SignedIn,
          ...refusals(...bodyCodes, 'challenge_invalid', 'passkey_invalid', 'username_taken'),
        },
      },
    },
    async (request, reply) => {
      await take(counter, `register:${addressOf(request)}`, settings.registrations)
      const { challenge, deviceName } = request.body
      const passkey = newPasskey(deps, request.body.passkey)
      const client = clientOf(deps, request, deviceName)
      const result = await passkeys.register(chat, { challenge, passkey, client })
      return answerSignIn(app, deps, request, reply, result)
    },
  )
}

export function passkeyRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings, authenticate: preParsing } = deps
  const shared = { tags: ['account'], security: [{ accessToken: [] }] }

  app.get(
    '/me/passkeys',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listPasskeys',
        summary: 'My passkeys, the oldest first',
        response: {
          200: Type.Object({ passkeys: listOf(Passkey, { maxItems: passkeys.passkeysMax }) }, closed),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => ({ passkeys: await passkeys.list(chat, request.caller.user) }),
  )

  app.post(
    '/me/passkeys/options',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'beginAddPasskey',
        summary: 'What a new passkey of mine is to be made of',
        response: { 200: toCreate, ...refusals('unauthenticated', 'proof_needed', 'too_many') },
      },
    },
    async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const begun = await passkeys.beginAdd(chat, request.caller.user, request.caller)
      return { challenge: begun.challenge, options: await creationOptions(deps, begun) }
    },
  )

  app.post(
    '/me/passkeys',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'addPasskey',
        summary: 'Add a passkey',
        body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, name: PasskeyName }, closed),
        response: {
          201: Passkey,
          ...refusals(...bodyCodes, 'unauthenticated', 'challenge_invalid', 'passkey_invalid', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      const { challenge, name } = request.body
      const passkey = newPasskey(deps, request.body.passkey)
      const client = clientOf(deps, request)
      return reply.code(201).send(await passkeys.add(chat, user, { challenge, passkey, name, session, client }))
    },
  )

  app.patch(
    '/me/passkeys/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'renamePasskey',
        summary: 'Call a passkey of mine something else',
        params: ofPasskey,
        body: Type.Object({ name: PasskeyName }, closed),
        response: { 200: Passkey, ...refusals(...bodyCodes, 'unauthenticated', 'passkey_unknown') },
      },
    },
    async request =>
      passkeys.rename(chat, request.caller.user, { passkey: request.params.id, name: request.body.name }),
  )

  app.delete(
    '/me/passkeys/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'removePasskey',
        summary: 'Take a passkey of mine away',
        params: ofPasskey,
        response: {
          204: Type.Null({ description: 'Done.' }),
          ...refusals('unauthenticated', 'proof_needed', 'passkey_unknown', 'last_way_in'),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await passkeys.remove(chat, user, { passkey: request.params.id, session, client: clientOf(deps, request) })
      return reply.code(204).send(null)
    },
  )
}
