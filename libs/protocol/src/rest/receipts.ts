/** Delivery and read receipts. */
import { Type } from 'typebox'
import { Cursor } from '../fields.ts'
import { asMember, ById, closed, done } from './fields.ts'
import { routes } from './route.ts'

export const receipts = routes('messages', 'session', {
  updateReceipts: {
    at: 'PUT /v1/conversations/{id}/receipts',
    summary: 'Update my receipts',
    description: 'Receipts only move forward: a lower cursor changes nothing. Read implies delivered.',
    params: ById,
    body: Type.Object(
      { delivered: Type.Optional(Cursor), read: Type.Optional(Cursor) },
      { ...closed, minProperties: 1 },
    ),
    answers: done('Recorded.'),
    refusals: asMember,
  },
})
