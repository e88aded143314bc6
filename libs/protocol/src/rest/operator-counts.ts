/** Entry counts by day and kind, for operators. */
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
    { ...closed, description: 'Entries of one kind written on one day, across all conversations.' },
  ),
)

export const operatorCounts = routes('operators', 'operator', {
  listEntryCounts: {
    at: 'GET /v1/operator/entry-counts',
    summary: 'Count entries by day and kind',
    description:
      'Latest day first. Each entry is counted once, within seconds; later deletions do not change the count.',
    query: Type.Object(
      {
        days: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 366,
            description: 'The number of days including today. Defaults to 30.',
          }),
        ),
      },
      closed,
    ),
    answers: {
      200: answered('The days with entries.', Type.Object({ counts: listOf(EntryCount) }, closed)),
    },
  },
})
