/** Being asked into conversations: into direct ones by strangers, and into groups. Live it comes as `conversationRequest`. */
import type { ConversationRequest, EntryOf } from '@flotilla/protocol'
import type { Conversation } from '../rest.ts'
import type { Page, Signed } from './signed.ts'

/** A request with what was said to the person so far. */
export interface ConversationRequestRead {
  readonly request: ConversationRequest
  readonly messages: readonly EntryOf<'message.new'>[]
}

export function createConversationRequests(signed: Signed) {
  const at = (request: string, more = '') => `/v1/conversation-requests/${encodeURIComponent(request)}${more}`
  return {
    /** Those that one got and has not answered, or those that one sent; the latest first. It goes on at `next`. */
    list: (page: Page & { readonly direction: 'sent' | 'received' }) =>
      signed<{ requests: readonly ConversationRequest[]; next?: string }>('GET', '/v1/conversation-requests', {
        query: { ...page },
      }),
    /** One that one got. Nobody is told that it was read. @throws FlotillaError request_unknown */
    get: (request: string) => signed<ConversationRequestRead>('GET', at(request)),
    /** One is a member from then on. @throws FlotillaError request_unknown, conversation_full, direct_closed, too_many */
    accept: (request: string) => signed<Conversation>('POST', at(request, '/accept')),
    /** @throws FlotillaError request_unknown */
    decline: (request: string) => signed<undefined>('POST', at(request, '/decline')),
    /** Takes back one into a group. @throws FlotillaError request_unknown, direct_fixed */
    cancel: (request: string) => signed<undefined>('DELETE', at(request)),
  }
}
