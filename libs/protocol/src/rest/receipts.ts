/** How far a conversation was received and read. */
import { Type } from 'typebox'
import { Cursor } from '../fields.ts'
import { closed, ById, done } from './fields.ts'
import { routes } from './route.ts'

export const receipts = routes('messages', 'session', {
  putReceipts: {
    at: 'PUT /v1/conversations/{id}/receipts',
    summary: 'Tell how far I have received and read',
    description:
      'Cursors only rise: one that is lower than before changes nothing. What is read has been delivered too.',
    params: ById,
    body: Type.Object(
      { delivered: Type.Optional(Cursor), read: Type.Optional(Cursor) },
      { ...closed, minProperties: 1 },
    ),
    answers: done('Noted.'),
    refusals: ['conversation_unknown', 'not_a_member'],
  },
})
