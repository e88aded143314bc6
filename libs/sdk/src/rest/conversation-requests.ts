/** Conversation requests: direct conversations from strangers, and group invitations. Live: `conversationRequest`. */
import type { Ask, Page } from './ask.ts'

export const createConversationRequests = (ask: Ask) => ({
  /** Open requests, received or sent, newest first; it continues at `next`. */
  list: (page: Page & { readonly direction: 'sent' | 'received' }) =>
    ask('GET /v1/conversation-requests', { query: page }),
  /** A received request. The sender is not told that it was read. @throws FlotillaError request_unknown */
  get: (request: string) => ask('GET /v1/conversation-requests/{id}', { id: request }),
  /** The user becomes a member. @throws FlotillaError request_unknown, conversation_full, blocked, limit_reached */
  accept: (request: string) => ask('POST /v1/conversation-requests/{id}/accept', { id: request }),
  /** @throws FlotillaError request_unknown */
  decline: (request: string) => ask('POST /v1/conversation-requests/{id}/decline', { id: request }),
  /** Cancels a group request. @throws FlotillaError request_unknown, not_a_group */
  cancel: (request: string) => ask('DELETE /v1/conversation-requests/{id}', { id: request }),
})
