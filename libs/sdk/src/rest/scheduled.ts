/** Messages that the server sends later. Live, each change comes as the event `scheduled`. */
import type { Ask, BodyOf, QueryOf } from './ask.ts'

export const createScheduled = (ask: Ask) => ({
  /**
   * Takes a message that is sent at a time: `at`, or `local`, by the clock of a place; with `thread`, as a reply there. Its
   * `id` is the `clientId`: repeat it with the same one until it is answered.
   * @throws FlotillaError field_invalid, not_a_member, blocked, message_unknown, limit_reached
   */
  schedule: (message: BodyOf<'POST /v1/scheduled-messages'>) => ask('POST /v1/scheduled-messages', { body: message }),
  /** The one that is due first comes first; it goes on at `next`. */
  list: (page: QueryOf<'GET /v1/scheduled-messages'> = {}) => ask('GET /v1/scheduled-messages', { query: page }),
  /** Another body, another time, or both. @throws FlotillaError scheduled_unknown when it is due or was sent */
  edit: (id: string, change: BodyOf<'PATCH /v1/scheduled-messages/{id}'>) =>
    ask('PATCH /v1/scheduled-messages/{id}', { id, body: change }),
  /** Once this is answered, it is not sent. @throws FlotillaError scheduled_unknown when it is due or was sent */
  cancel: (id: string) => ask('DELETE /v1/scheduled-messages/{id}', { id }),
})
