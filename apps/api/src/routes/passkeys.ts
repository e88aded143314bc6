/** Passkeys: signing in and registering by one, and those that one has. */
import { accounts, passkeys, sessions } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { addressOf, hashed, take } from '../http/limits.ts'
import { creationOptions, newPasskey, requestOptions, shownPasskey } from '../sign-in/passkeys.ts'
import { demandCheck } from '../sign-in/registration-check.ts'
import { serve } from '../http/serve.ts'
import { answerSignedIn, answerSignIn } from './sessions.ts'

export function passkeySignInRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  serve(app, deps, rest.passkeySignIn, {
    beginPasskeySignIn: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const begun = await sessions.beginByPasskey(chat)
      return { challenge: begun.challenge, options: await requestOptions(deps, { ...begun, ownerChecked: true }) }
    },

    signInWithPasskey: async (request, reply) => {
      const { challenge, deviceName } = request.body
      const tried = hashed(request.body.passkey.id)
      await take(counter, `sign-in-passkey:${tried}:${addressOf(request)}`, settings.signIns)
      const passkey = shownPasskey(deps, request.body.passkey)
      const client = clientOf(deps, request, deviceName)
      const result = await sessions.signInWithPasskey(chat, { challenge, passkey, client })
      return answerSignIn(app, deps, request, reply, result)
    },

    beginPasskeyRegistration: async request => {
      await take(counter, `register-passkey:${addressOf(request)}`, settings.registrations)
      const { check, ...wanted } = request.body
      accounts.demandNotClosed(chat)
      await demandCheck(deps, request, check)
      const begun = await passkeys.beginRegister(chat, wanted)
      return { challenge: begun.challenge, options: await creationOptions(deps, begun) }
    },

    registerWithPasskey: async (request, reply) => {
      await take(counter, `register:${addressOf(request)}`, settings.registrations)
      const { challenge, deviceName } = request.body
      const passkey = newPasskey(deps, request.body.passkey)
      const client = clientOf(deps, request, deviceName)
      const opened = await passkeys.register(chat, { challenge, passkey, client })
      if ('challenge' in opened) throw new Error('unable to sign in: a new account has no second factor')
      return answerSignedIn(app, deps, request, reply, opened)
    },
  })
}

export function passkeyRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  serve(app, deps, rest.passkeys, {
    listPasskeys: async request => ({ passkeys: await passkeys.list(chat, request.caller.user) }),

    beginAddPasskey: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const begun = await passkeys.beginAdd(chat, request.caller.user, request.caller)
      return { challenge: begun.challenge, options: await creationOptions(deps, begun) }
    },

    addPasskey: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        const { challenge, name } = request.body
        const passkey = newPasskey(deps, request.body.passkey)
        const client = clientOf(deps, request)
        return passkeys.add(chat, user, { challenge, passkey, name, session, client })
      },
    },

    renamePasskey: async request =>
      passkeys.rename(chat, request.caller.user, { passkey: request.params.id, name: request.body.name }),

    removePasskey: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        await passkeys.remove(chat, user, { passkey: request.params.id, session, client: clientOf(deps, request) })
      },
    },
  })
}
