/** Searching people. */
import { users } from '@flotilla/chat'
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
          'Ten at most, the best match first. Case, accents, width and the kind of kana make no difference, and a slip of the keyboard does little harm. An address finds those who let themselves be found by it.',
        tags: ['people'],
        security: [{ accessToken: [] }],
        querystring: Type.Object(
          {
            q: Type.String({
              minLength: 1,
              maxLength: limits.searchLengthMax,
              description: `At least ${limits.searchLengthMin} characters, or one letter of a script in which it can be a name: Han, kana, Hangul.`,
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
      return { users: await users.search(deps.chat, user, request.query.q) }
    },
  )
}
