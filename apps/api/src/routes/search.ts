/** Searching people. */
import { people } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../limits.ts'
import { refusals } from '../refusals.ts'
import { answered, User } from '../shapes.ts'

const closed = { additionalProperties: false }

export function searchRoutes(app: Api, deps: RouteDeps): void {
  app.get(
    '/people',
    {
      preParsing: deps.authenticate,
      schema: {
        operationId: 'searchPeople',
        summary: 'Search people by name, or by an exact address',
        description:
          'Ten at most: first those whose username begins so, then those in whose names words do. Where these are fewer, a slip of the keyboard does little harm from four letters on. Case, accents, width and the kind of kana make no difference. Of what very many are called, the best of some are shown. An address finds those who let themselves be found by it. One search at a time.',
        tags: ['people'],
        security: [{ accessToken: [] }],
        querystring: Type.Object(
          {
            q: Type.String({
              minLength: 1,
              maxLength: limits.searchLengthMax,
              description: `With less than ${limits.searchLengthMin} letters it is looked for among the usernames alone, unless one can be a name: Han, kana, Hangul.`,
            }),
          },
          closed,
        ),
        response: {
          200: answered('Those who were found; perhaps nobody.', Type.Object({ users: Type.Array(User) }, closed)),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => {
      const { user } = request.caller
      await take(deps.counter, `search:${user}`, deps.settings.searches)
      return { users: await people.search(deps.chat, user, request.query.q) }
    },
  )
}
