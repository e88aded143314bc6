/** Passkeys: signing in and registering by one, and those that one has. */
import { accounts, passkeys, sessions } from '@flotilla/chat'
import { Uuid } from '@flotilla/protocol/schemas'
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
import { Check, demandCheck } from '../registration-check.ts'
import { bodyCodes, refusals, registrationRefusals } from '../refusals.ts'
import { answered, DeviceName, DisplayName, InvitationCode, listOf, SignedIn, Username } from '../shapes.ts'
import { CookieHeader } from '../cookies.ts'
import { answerSignIn, signInAnswers } from './sessions.ts'

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
        summary: 'Ask what a passkey must sign, to sign in',
        description:
          'The authenticator offers the passkeys that it has; nobody has to be named. Good for five minutes and one answer.',
        response: {
          200: answered('The options for the authenticator, and the challenge to show with its answer.', toUse),
          ...refusals(),
        },
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
        description: 'The authenticator must have verified its owner, which makes the passkey two factors in one.',
        headers: CookieHeader,
        body: Type.Object({ challenge: Uuid, passkey: UsedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
        response: {
          ...signInAnswers,
          ...refusals(...bodyCodes, 'challenge_invalid', 'passkey_invalid', 'account_suspended'),
        },
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
        summary: 'Ask for the options of a first passkey',
        description:
          'For registering without a password. Give the options to `navigator.credentials.create`, and its result to `POST /v1/users/by-passkey`.',
        body: Type.Object(
          {
            username: Username,
            displayName: Type.Optional(DisplayName),
            invitation: Type.Optional(InvitationCode),
            check: Type.Optional(Check),
          },
          closed,
        ),
        response: {
          200: answered('The options for the authenticator, and the challenge to show with its answer.', toCreate),
          ...refusals(...bodyCodes, ...registrationRefusals, 'username_taken', 'check_needed'),
        },
      },
    },
    async request => {
      await take(counter, `register-passkey:${addressOf(request)}`, settings.registrations)
      const { check, ...wanted } = request.body
      accounts.demandNotClosed(chat)
      await demandCheck(deps, request, check)
      const begun = await passkeys.beginRegister(chat, wanted)
      return { challenge: begun.challenge, options: await creationOptions(deps, begun) }
    },
  )

  app.post(
    '/users/by-passkey',
    {
      schema: {
        ...shared,
        operationId: 'registerByPasskey',
        summary: 'Register with a passkey, and sign in',
        description: 'Makes the account, its first passkey and its first session in one step.',
        headers: CookieHeader,
        body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
        response: {
          201: answered('Signed in: the person, the session, and its tokens.', SignedIn),
          ...refusals(...bodyCodes, ...registrationRefusals, 'challenge_invalid', 'passkey_invalid', 'username_taken'),
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
        summary: 'List my passkeys',
        description: 'The oldest first.',
        response: {
          200: answered(
            'The passkeys.',
            Type.Object({ passkeys: listOf(Passkey, { maxItems: passkeys.passkeysMax }) }, closed),
          ),
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
        summary: 'Ask for the options of another passkey',
        description: 'Asks for a fresh proof. Authenticators that already hold a passkey of the caller are left out.',
        response: {
          200: answered('The options for the authenticator, and the challenge to show with its answer.', toCreate),
          ...refusals('unauthenticated', 'proof_needed', 'too_many'),
        },
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
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'addPasskey',
        summary: 'Add a passkey',
        description:
          'Takes what `navigator.credentials.create` made of the options from `POST /v1/me/passkeys/options`.',
        body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, name: PasskeyName }, closed),
        response: {
          201: answered('The new passkey.', Passkey),
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
        summary: 'Rename a passkey',
        description: 'The name is for the caller alone, to tell passkeys apart.',
        params: ofPasskey,
        body: Type.Object({ name: PasskeyName }, closed),
        response: {
          200: answered('The passkey with its new name.', Passkey),
          ...refusals(...bodyCodes, 'unauthenticated', 'passkey_unknown'),
        },
      },
    },
    async request =>
      passkeys.rename(chat, request.caller.user, { passkey: request.params.id, name: request.body.name }),
  )

  app.delete(
    '/me/passkeys/:id',
    {
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'removePasskey',
        summary: 'Remove a passkey',
        description: 'Asks for a fresh proof, and for another way to sign in.',
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
