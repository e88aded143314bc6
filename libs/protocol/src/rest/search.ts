/** Search for people. */
import { Type } from 'typebox'
import { limits } from '../limits.ts'
import { answered, closed, listOf, User } from './fields.ts'
import { routes } from './route.ts'

const Search = Type.Object(
  {
    q: Type.String({
      minLength: 1,
      maxLength: limits.searchLengthMax,
      description: `Fewer than ${limits.searchLengthMin} letters match usernames only, except in scripts where one letter can be a name: Han, kana, Hangul.`,
    }),
  },
  closed,
)

export const search = routes('people', 'session', {
  searchPeople: {
    at: 'GET /v1/people',
    summary: 'Search people by name or email address',
    description:
      'Up to ten results: usernames that begin with the text first, then names with a word that does. If there are fewer, typos are tolerated from four letters on. Case, accents, width and kana type are ignored. For very common names, results are the best of a sample. An exact email address finds users who are discoverable by it. One search at a time per user.',
    query: Search,
    answers: { 200: answered('The matches; may be empty.', Type.Object({ users: listOf(User) }, closed)) },
  },
})
