/** Conversation requests: direct conversations from strangers, and group invitations. Live: `conversation.requested`. */
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
/** A request with the messages sent so far. */
export const ConversationRequestRead = Type.Object(
  {
    request: ConversationRequest,
    messages: listOf(named('MessageNew', entries['message.new'].schema), {
      description: 'The messages of the direct conversation so far, in order. Empty for groups.',
    }),
  },
  closed,
)
export type ConversationRequestRead = Type.Static<typeof ConversationRequestRead>

export const conversationRequests = routes('conversations', 'session', {
  listConversationRequests: {
    at: 'GET /v1/conversation-requests',
    summary: 'List conversation requests',
    description:
      'Received or sent requests that are still open, newest first. They send no push notifications and do not count as unread.',
    query: Type.Object(
      { direction: oneOf(['sent', 'received']), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of requests.', ConversationRequestPage) },
  },
  getConversationRequest: {
    at: 'GET /v1/conversation-requests/{id}',
    summary: 'Get a conversation request',
    description: 'For the recipient, with the messages so far. The sender is not told that they were read.',
    params: ById,
    answers: { 200: answered('The request.', ConversationRequestRead) },
    refusals: ['request_unknown'],
  },
  acceptConversationRequest: {
    at: 'POST /v1/conversation-requests/{id}/accept',
    summary: 'Accept a conversation request',
    description:
      'The caller becomes a member. In a direct conversation they see earlier messages; in a group, later ones and the history shown to new members.',
    params: ById,
    answers: { 200: answered('The conversation.', Conversation) },
    refusals: ['request_unknown', 'blocked', 'banned', 'conversation_full', 'limit_reached'],
  },
  declineConversationRequest: {
    at: 'POST /v1/conversation-requests/{id}/decline',
    summary: 'Decline a conversation request',
    description:
      'The sender of a direct request is not told. Nobody can ask the caller to join the same group again for a while.',
    params: ById,
    answers: done('Declined.'),
    refusals: ['request_unknown'],
  },
  cancelConversationRequest: {
    at: 'DELETE /v1/conversation-requests/{id}',
    summary: 'Cancel a group request',
    description: 'For its sender, and for members with the `addMembers` permission.',
    params: ById,
    answers: done('Cancelled for both.'),
    refusals: ['request_unknown', 'not_a_group'],
  },
})
