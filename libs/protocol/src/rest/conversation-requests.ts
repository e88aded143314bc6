/** Being asked into conversations: by strangers into direct ones, and into groups. Live: `conversation.requested`. */
import { Type } from 'typebox'
import * as wire from '../down/conversation-requests.ts'
import { entries } from '../entries.ts'
import { Conversation } from './conversations.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const ConversationRequest = named('ConversationRequest', wire.ConversationRequest)
const ConversationRequestPage = Type.Object(
  { requests: listOf(ConversationRequest), next: Type.Optional(PageCursor) },
  closed,
)
/** A request with what was said to the person so far. */
export const ConversationRequestRead = Type.Object(
  {
    request: ConversationRequest,
    messages: listOf(named('MessageNew', entries['message.new'].schema), {
      description: 'What was said in the direct conversation so far, in order. Of a group nothing is shown.',
    }),
  },
  closed,
)
export type ConversationRequestRead = Type.Static<typeof ConversationRequestRead>

export const conversationRequests = routes('conversations', 'session', {
  listConversationRequests: {
    at: 'GET /v1/conversation-requests',
    summary: 'List requests to join conversations',
    description:
      'Those that the caller got and has not answered, or those that they sent; the latest first. They are no conversations of the caller yet: no push tells of them, and no count of what is unread.',
    query: Type.Object(
      { direction: oneOf(['sent', 'received']), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of requests.', ConversationRequestPage) },
  },
  getConversationRequest: {
    at: 'GET /v1/conversation-requests/{id}',
    summary: 'Read a request to join a conversation',
    description: 'For whom it is for, with what was said. Whoever asks is not told that it was read.',
    params: ById,
    answers: { 200: answered('The request.', ConversationRequestRead) },
    refusals: ['request_unknown'],
  },
  acceptConversationRequest: {
    at: 'POST /v1/conversation-requests/{id}/accept',
    summary: 'Accept a request to join a conversation',
    description:
      'The caller is a member from then on. Of a direct conversation they see what was said before, of a group what comes after.',
    params: ById,
    answers: { 200: answered('The conversation.', Conversation) },
    refusals: ['request_unknown', 'direct_closed', 'conversation_full', 'too_many'],
  },
  declineConversationRequest: {
    at: 'POST /v1/conversation-requests/{id}/decline',
    summary: 'Decline a request to join a conversation',
    description:
      'Whoever asked for a direct conversation is not told. Into a group nobody may ask the caller again for a time.',
    params: ById,
    answers: done('It is gone.'),
    refusals: ['request_unknown'],
  },
  cancelConversationRequest: {
    at: 'DELETE /v1/conversation-requests/{id}',
    summary: 'Take back a request to join a group',
    description: 'For whoever sent it, and for the owners and admins of the group.',
    params: ById,
    answers: done('It is gone, and both sides know.'),
    refusals: ['request_unknown', 'direct_fixed'],
  },
})
