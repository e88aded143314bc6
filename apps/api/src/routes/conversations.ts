/** Conversations: opening, listing, reading, renaming, timers, and what they are to the caller. */
import { conversations } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { answer, serve } from '../http/serve.ts'

export function conversationRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.conversations, {
    openConversation: async ({ body, caller }) => {
      if (body.kind === 'direct') {
        const { conversation, created } = await conversations.createDirect(chat, caller.user, body.user)
        return answer(created ? 201 : 200, conversation)
      }
      const { name, members } = body
      return answer(201, await conversations.createGroup(chat, caller.user, { name, members }))
    },

    listConversations: async request => {
      const { archived, pinned, ...page } = request.query
      return conversations.list(chat, request.caller.user, {
        ...page,
        archived: isSet(archived),
        pinned: isSet(pinned),
      })
    },

    getConversation: async request => conversations.get(chat, request.caller.user, request.params.id),

    renameConversation: async request => {
      const { id } = request.params
      await conversations.rename(chat, request.caller.user, { conversation: id, name: request.body.name })
      return conversations.get(chat, request.caller.user, id)
    },

    setTimer: async request => {
      const { id } = request.params
      await conversations.setTimer(chat, request.caller.user, { conversation: id, timerMs: request.body.timerMs })
      return conversations.get(chat, request.caller.user, id)
    },

    countUnread: async request => conversations.unread(chat, request.caller.user, request.query),

    changeConversationSettings: async request => {
      const { mutedUntilMs: mutedUntil, ...change } = request.body
      const of = { ...change, conversation: request.params.id, mutedUntil }
      return conversations.changeSettings(chat, request.caller.user, of)
    },

    muteConversation: async request => {
      const muting = { conversation: request.params.id, until: request.body.untilMs }
      await conversations.mute(chat, request.caller.user, muting)
    },
  })
}

const isSet = (flag: 'true' | 'false' | undefined) => (flag === undefined ? undefined : flag === 'true')
