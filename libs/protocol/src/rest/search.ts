/** Searching people. */
import { Type } from 'typebox'
import { limits } from '../limits.ts'
import { answered, closed, listOf, User } from './fields.ts'
import { routes } from './route.ts'

const Search = Type.Object(
  {
    q: Type.String({
      minLength: 1,
      maxLength: limits.searchLengthMax,
      description: `With less than ${limits.searchLengthMin} letters it is looked for among the usernames alone, unless one can be a name: Han, kana, Hangul.`,
    }),
  },
  closed,
)

export const search = routes('people', 'session', {
  searchPeople: {
    at: 'GET /v1/people',
    summary: 'Search people by name, or by an exact address',
    description:
      'Ten at most: first those whose username begins so, then those in whose names words do. Where these are fewer, a slip of the keyboard does little harm from four letters on. Case, accents, width and the kind of kana make no difference. Of what very many are called, the best of some are shown. An address finds those who let themselves be found by it. One search at a time.',
    query: Search,
    answers: { 200: answered('Those who were found; perhaps nobody.', Type.Object({ users: listOf(User) }, closed)) },
  },
})
