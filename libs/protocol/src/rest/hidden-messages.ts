/** What somebody hides for themselves: single messages, and everything up to a seq. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, asMember, ById, closed, done, listOf, named, ofMessage, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const HiddenMessage = named('HiddenMessage', Type.Object({ conversation: Uuid, seq: Seq, at: At }, closed))
export type HiddenMessage = Type.Static<typeof HiddenMessage>
const HiddenPage = Type.Object({ messages: listOf(HiddenMessage), next: Type.Optional(PageCursor) }, closed)

export const hiddenMessages = routes('messages', 'session', {
  hideMessages: {
    at: 'POST /v1/conversations/{id}/hidden',
    summary: 'Hide messages for yourself',
    description:
      'Permanently, on all your devices: pages and replays have `message.hidden` in their place. Other members are not told.',
    params: ById,
    body: Type.Object(
      { seqs: listOf(Seq, { minItems: 1, maxItems: limits.hiddenAtOnceMax, description: 'The messages.' }) },
      closed,
    ),
    answers: done(),
    refusals: [...ofMessage, 'limit_reached'],
  },
  clearConversation: {
    at: 'PUT /v1/conversations/{id}/cleared',
    summary: 'Clear a conversation for yourself',
    description:
      'Permanently, on all your devices: the conversation starts after this seq, as if you had joined there. Other members are not told.',
    params: ById,
    body: Type.Object({ upTo: Type.With(Seq, { description: 'The last entry that is cleared.' }) }, closed),
    answers: done(),
    refusals: asMember,
  },
  listHidden: {
    at: 'GET /v1/hidden-messages',
    summary: 'List my hidden messages',
    description:
      'Messages that you hid one by one, in all conversations, most recently hidden first. `clearedSeq` of a conversation says how far you cleared it.',
    query: Type.Object({ limit: pageLimit(100, 500), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of hidden messages.', HiddenPage) },
  },
})
