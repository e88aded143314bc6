/** Contacts, and the requests by which people become contacts. Live, both sides hear `contact.…`. */
import { contacts, users } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../http/limits.ts'
import { answer, type RequestOf, serve } from '../http/serve.ts'

/** @throws Refusal field_invalid unless one person is named, in one way */
function demandOneName({ user, username, email }: RequestOf<(typeof rest.contacts)['requestContact']>['body']): void {
  if ([user, username, email].filter(one => one !== undefined).length === 1) return
  const rule = 'one of user, username and email'
  throw new Refusal('field_invalid', `user: must be ${rule}`, { field: 'user', rule })
}

export function contactRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.contacts, {
    listContacts: async request => contacts.list(chat, request.caller.user, request.query),

    removeContact: async request => {
      await contacts.remove(chat, request.caller.user, request.params.user)
    },

    listContactRequests: async request => contacts.requests(chat, request.caller.user, request.query),

    requestContact: async ({ body, caller }) => {
      demandOneName(body)
      await take(deps.counter, `contact-request:${caller.user}`, deps.settings.contactRequests)
      const { note, email } = body
      if (email !== undefined) {
        await contacts.requestByEmail(chat, caller.user, { email, note })
        return answer(202, {})
      }
      const user = body.user ?? (await users.find(chat, body.username ?? '')).id
      const field = body.user === undefined ? 'username' : 'user'
      const requested = await contacts.request(chat, caller.user, { user, note, field })
      return 'contact' in requested ? answer(200, requested.contact) : answer(201, requested.request)
    },

    acceptContactRequest: async request => contacts.accept(chat, request.caller.user, request.params.id),

    declineContactRequest: async request => {
      await contacts.reject(chat, request.caller.user, request.params.id)
    },

    cancelContactRequest: async request => {
      await contacts.cancel(chat, request.caller.user, request.params.id)
    },
  })
}
