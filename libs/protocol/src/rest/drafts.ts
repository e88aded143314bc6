/** What the caller has begun to write, the same on all their devices. Live it comes as `draft.changed`. */
import { Type } from 'typebox'
import { Draft as DraftShape } from '../down/draft-changed.ts'
import { answered, asMember, ById, closed, listOf, named, PageCursor } from './fields.ts'
import { routes } from './route.ts'

const Draft = named('Draft', DraftShape)
const DraftPage = Type.Object({ drafts: listOf(Draft), next: Type.Optional(PageCursor) }, closed)
const { at, content } = DraftShape.properties

export const drafts = routes('conversations', 'session', {
  listDrafts: {
    at: 'GET /v1/drafts',
    summary: 'List my drafts',
    description: 'Ordered by conversation id. Emptied drafts are omitted.',
    query: Type.Object({ after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of drafts.', DraftPage) },
  },
  putDraft: {
    at: 'PUT /v1/conversations/{id}/draft',
    summary: 'Save a draft',
    description:
      'One per conversation. The latest by `at` wins; a time in the future counts as now. Drafts are kept for a year.',
    params: ById,
    body: Type.Object({ at, content }, closed),
    answers: { 200: answered('The current draft: the one sent, or a later one.', Draft) },
    refusals: asMember,
  },
})
