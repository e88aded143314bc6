/** Being asked into conversations: into direct ones by strangers, and into groups. Live it comes as `conversationRequest`. */
import type { Ask, Page } from './ask.ts'

export const createConversationRequests = (ask: Ask) => ({
  /** Those that one got and has not answered, or those that one sent; the latest first. It goes on at `next`. */
  list: (page: Page & { readonly direction: 'sent' | 'received' }) =>
    ask('GET /v1/conversation-requests', { query: page }),
  /** One that one got. Nobody is told that it was read. @throws FlotillaError request_unknown */
  get: (request: string) => ask('GET /v1/conversation-requests/{id}', { id: request }),
  /** One is a member from then on. @throws FlotillaError request_unknown, conversation_full, direct_closed, too_many */
  accept: (request: string) => ask('POST /v1/conversation-requests/{id}/accept', { id: request }),
  /** @throws FlotillaError request_unknown */
  decline: (request: string) => ask('POST /v1/conversation-requests/{id}/decline', { id: request }),
  /** Takes back one into a group. @throws FlotillaError request_unknown, direct_fixed */
  cancel: (request: string) => ask('DELETE /v1/conversation-requests/{id}', { id: request }),
})
