/** How much is written, for operators: entries by day and kind. */
import { Type } from 'typebox'
import { answered, closed, listOf, named } from './fields.ts'
import { routes } from './route.ts'

const EntryCount = named(
  'EntryCount',
  Type.Object(
    {
      day: Type.String({ format: 'date', description: 'In UTC.' }),
      event: Type.String({ description: 'The kind of entry, such as `message.new`.' }),
      entries: Type.Integer({ minimum: 1 }),
    },
    { ...closed, description: 'Entries of one kind that were written on one day, in all conversations together.' },
  ),
)

export const operatorCounts = routes('operators', 'operator', {
  listEntryCounts: {
    at: 'GET /v1/operator/entry-counts',
    summary: 'Count entries by day and kind',
    description:
      'The latest day first. The worker counts each entry once, within seconds; what is erased later stays counted.',
    query: Type.Object(
      {
        days: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 366,
            description: 'How many days back, today included; 30 unless told otherwise.',
          }),
        ),
      },
      closed,
    ),
    answers: {
      200: answered('The days on which something was written.', Type.Object({ counts: listOf(EntryCount) }, closed)),
    },
  },
})
