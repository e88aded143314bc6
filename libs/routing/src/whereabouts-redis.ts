/**
 * Who is where, in Redis. An entry is one string, `place place`, so that many are read by one MGET: 13 to 18 % of the
 * whole message path against a hash. A place's roster is a hash whose fields are its names; entry and roster share a
 * hash slot and are written by one script, so neither is ever without the other.
 *
 * Every write raises the roster's revision, and the writer counts its writes. A server that came back empty, or with the
 * data of a moment ago, shows another number.
 */
import { loadScript, type RedisLink } from './redis-link.ts'
import { type Entered, type Kind, nowhere, type Places, type Whereabouts } from './whereabouts.ts'

const enterScript = loadScript('enter')
const leaveScript = loadScript('leave')

/** Names in one MGET or one script: Redis is busy with it for about a millisecond at most. */
const namesMax = 512

/** Nothing is left in Redis for ever, even where nobody comes to sweep. What expires under a living node is entered again. */
const entryLifeMs = 14 * 86_400_000

const letters: Record<Kind, string> = { presence: 'p', watch: 'w', interest: 'i' }
const kindOf: Readonly<Record<string, Kind>> = { p: 'presence', w: 'watch', i: 'interest' }

/** The revision of one part's roster, as this process knows it: writes may be under way. */
interface Tally {
  base: number
  issued: number
  confirmed: number
}

/** What this process knows of its own writes for a place. */
interface Account {
  readonly tallies: readonly Tally[]
  broken: boolean
}

export function createRedisWhereabouts(link: RedisLink): Whereabouts {
  const accounts = new Map<string, Account>()
  const shards = Array.from({ length: link.shards }, (_, shard) => shard)
  const rosterKey = (shard: number, place: string) => link.shardKey(shard, `at:${place}`)
  const entryKey = (shard: number, kind: Kind, name: string) => link.shardKey(shard, `${letters[kind]}:${name}`)

  /** Runs a script over names. Answers its line for each name. */
  async function write(script: typeof enterScript, kind: Kind, names: readonly string[], place: string) {
    const account = accounts.get(place)
    const lines: string[] = []
    const writes = cut(link, names).map(async ({ shard, indexes }) => {
      const keys = [rosterKey(shard, place), ...indexes.map(i => entryKey(shard, kind, names[i]!))]
      const fields = indexes.map(i => letters[kind] + names[i]!)
      const tally = account?.tallies[shard]
      if (tally !== undefined) tally.issued++
      const answer = (await link.script(script, keys, [place, entryLifeMs, ...fields])) as [number, ...string[]]
      indexes.forEach((i, at) => (lines[i] = answer[at + 1] as string))
      if (account === undefined || tally === undefined) return
      tally.confirmed++
      if (!fits(answer[0], tally, tally.confirmed)) account.broken = true
    })
    const failed = (await Promise.allSettled(writes)).find(write => write.status === 'rejected')
    if (failed !== undefined) {
      if (account !== undefined) account.broken = true
      throw new Error(`unable to write who is where: ${String(failed.reason)}`, { cause: failed.reason })
    }
    return lines
  }

  async function revisionsOf(place: string): Promise<number[]> {
    const revisions = await Promise.all(shards.map(shard => link.command('hget', rosterKey(shard, place), '#')))
    return revisions.map(Number)
  }

  return {
    async enter(kind, names, place) {
      const parse = placesParser()
      const lines = await write(enterScript, kind, names, place)
      return lines.map((line): Entered => ({ already: line[0] === '=', others: parse(line.slice(2)) }))
    },
    async leave(kind, names, place) {
      const parse = placesParser()
      const lines = await write(leaveScript, kind, names, place)
      return lines.map(line => (line[0] === '-' ? parse(line.slice(2)) : undefined))
    },
    find: (kind, names) => findPlaces(link, names, (shard, name) => entryKey(shard, kind, name)),
    async *entries(place) {
      for (const shard of shards) yield* entriesOf(link, rosterKey(shard, place))
    },
    async mend(place) {
      const revisions = await revisionsOf(place)
      const tallies = revisions.map(revision => ({ base: revision, issued: 0, confirmed: 0 }))
      accounts.set(place, { tallies, broken: false })
    },
    async intact(place) {
      const account = accounts.get(place)
      const confirmed = account?.tallies.map(tally => tally.confirmed)
      const revisions = await revisionsOf(place)
      if (account === undefined || account.broken || accounts.get(place) !== account) return false
      return account.tallies.every((tally, shard) => fits(revisions[shard], tally, confirmed?.[shard]))
    },
    async forget(place) {
      accounts.delete(place)
      await Promise.all(shards.map(shard => link.command('del', rosterKey(shard, place))))
    },
  }
}

/** Whether a revision holds at least so many writes, and none that was not issued here. */
function fits(revision = 0, tally: Tally, writesMin = 0): boolean {
  return revision >= tally.base + writesMin && revision <= tally.base + tally.issued
}

/** Most entries of one answer are equal: each distinct one is taken apart once, and gives the same list every time. */
function placesParser(): (text: string) => Places {
  const known = new Map<string, Places>([['', nowhere]])
  return text => {
    let places = known.get(text)
    if (places === undefined) {
      places = text.split(' ')
      known.set(text, places)
    }
    return places
  }
}

/** What cannot be looked up is undefined, unless nothing can. */
async function findPlaces(
  link: RedisLink,
  names: readonly string[],
  keyOf: (shard: number, name: string) => string,
): Promise<(Places | undefined)[]> {
  const parse = placesParser()
  const found: (Places | undefined)[] = names.map(() => undefined)
  const chunks = cut(link, names)
  const reads = chunks.map(async ({ shard, indexes }) => {
    const entries = (await link.command('mget', ...indexes.map(i => keyOf(shard, names[i]!)))) as (string | null)[]
    for (let at = 0; at < indexes.length; at++) found[indexes[at]!] = parse(entries[at] ?? '')
  })
  const failed = (await Promise.allSettled(reads)).filter(read => read.status === 'rejected')
  if (failed.length > 0 && failed.length === chunks.length)
    throw new Error(`unable to look up who is where: ${String(failed[0]?.reason)}`, { cause: failed[0]?.reason })
  return found
}

/** What a roster names, in the chunks in which Redis hands it out. */
async function* entriesOf(link: RedisLink, roster: string) {
  let cursor = '0'
  do {
    const [next, fields] = (await link.command('hscan', roster, cursor, 'COUNT', namesMax)) as [string, string[]]
    cursor = next
    const chunk = []
    for (let i = 0; i < fields.length; i += 2) {
      const kind = kindOf[fields[i]![0]!]
      if (kind !== undefined) chunk.push({ kind, name: fields[i]!.slice(1) })
    }
    if (chunk.length > 0) yield chunk
  } while (cursor !== '0')
}

/** Cuts names into commands: by their part, and each part into chunks. Gives the indexes of the names. */
function cut(link: RedisLink, names: readonly string[]): { shard: number; indexes: number[] }[] {
  const open = new Map<number, number[]>()
  const chunks: { shard: number; indexes: number[] }[] = []
  for (let i = 0; i < names.length; i++) {
    const shard = link.shardOf(names[i]!)
    let indexes = open.get(shard)
    if (indexes === undefined || indexes.length === namesMax) {
      indexes = []
      open.set(shard, indexes)
      chunks.push({ shard, indexes })
    }
    indexes.push(i)
  }
  return chunks
}
