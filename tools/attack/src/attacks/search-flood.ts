/** Searches of one person wait for each other, not for the database of all. */
import { type Attack, again, check, none, rate } from '../attack.ts'
import { type Answer, serverErrors, statuses } from '../rest.ts'
import type { Person, Stand } from '../stand.ts'

/** More than SEARCHES_MAX, so that some are refused however fast the store is. */
const atOnce = 40
/** Somebody else asks that often: far below what one person may. */
const calmEveryMs = 50

export const searchFlood: Attack = {
  name: 'search-flood',
  by: 'somebody with an account',
  tries: 'to starve the store with searches for two letters among hundreds of thousands of people',
  isFlood: true,
  async run(stand, begins) {
    await fillWithPeople(stand, stand.size(2_000, 300_000))
    const [seeker, other, calm] = (await stand.people(3)) as [Person, Person, Person]
    const search = (person: Person, query: string) =>
      stand.call(`GET /v1/people?q=${query}`, { token: person.token(), from: person.from })
    const alone = await search(other, 'an')
    await begins()
    const startedAt = performance.now()
    const floods: Answer[] = []
    const others: Answer[] = []
    let calmAt = startedAt
    await again(stand, async () => {
      const flood = Promise.all(Array.from({ length: atOnce }, () => search(seeker, 'an')))
      if (performance.now() >= calmAt) {
        calmAt += calmEveryMs
        others.push(await stand.call('GET /v1/conversations', { token: calm.token(), from: calm.from }))
      }
      floods.push(...(await flood))
    })
    const strength = `${JSON.stringify(statuses(floods))}, ${rate(floods.length, startedAt)}`
    return [
      check('one search for two letters is answered', alone.status === 200, alone.status),
      none(
        'a flood is answered or told to come back, never with a fault',
        serverErrors(floods).filter(({ body }) => body.error?.retryMs === undefined),
      ),
      check(
        'some of the flood are told to come back',
        floods.some(({ status }) => status !== 200),
        strength,
      ),
      none(
        'requests of others that are refused meanwhile',
        others.filter(({ status }) => status !== 200),
      ),
    ]
  },
}

/** Names that look like names. */
const fillWithPeople = (stand: Stand, count: number) =>
  stand.pool.query(
    `INSERT INTO users (id, username, display_name)
     SELECT gen_random_uuid(), 'anna.' || n, (ARRAY['Ann', 'Anja', 'Hannah', 'Juan', 'Ivan', 'Dana'])[1 + n % 6] || ' ' || md5(n::text)
       FROM generate_series(1, $1::int) AS n`,
    [count],
  )
