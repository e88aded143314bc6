/**
 * Who is online, for those who watch. Who may have come or gone is gathered for a moment, then looked up once more, and
 * how it stands now is sent to the places in which somebody watches that person. There it is compared with what the
 * local watchers were last told, so that they hear of changes only and a flap cancels out.
 *
 * Two places may send in one order and be heard in the other, and no clock of theirs could tell which is right. So what
 * was heard only says whom to look up: one look-up after the other, and the last one stands. Nothing of this is stored
 * and nothing waits for it. What gets lost is found by the next `recheck`.
 */
import type { Clock } from './clock.ts'
import type { PresenceLine } from './envelope.ts'
import type { Fleet } from './fleet.ts'
import type { Places, Whereabouts } from './whereabouts.ts'

export interface PresenceChange {
  readonly user: string
  readonly online: boolean
}

export interface WatchingOptions {
  /** Its `now` is sent along, for nodes that still pass it on. */
  readonly clock: Clock
  readonly whereabouts: Whereabouts
  readonly fleet: Fleet
  /** How long changes are gathered. */
  readonly gatherMs: number
  /** Changes in one envelope, and people in one look-up. */
  readonly changesMax: number
  place(): string
  isHere(user: string): boolean
  isWatched(user: string): boolean
  send(place: string, lines: readonly PresenceLine[]): void
  presenceChanged(changes: readonly PresenceChange[]): void
}

export interface Watching {
  /** A person may have come or gone. */
  note(user: string): void
  /** Sends what was gathered now. */
  flush(): Promise<void>
  /** How it stood when another place, or this one, looked. */
  heard(lines: readonly PresenceLine[]): void
  /** Looks people up, remembers it as told, and answers who is online. */
  begin(users: readonly string[]): Promise<readonly string[]>
  /** Forgets people who are watched no more. */
  end(users: readonly string[]): void
  /** Looks watched people up and tells what is different from what was told. */
  recheck(users: readonly string[]): Promise<void>
  /** Who of these is online, looked up now. @throws when the store does not answer */
  online(users: readonly string[]): Promise<ReadonlySet<string>>
  stop(): void
}

interface Told {
  online: boolean
  /** Counts what was told, so that an answer which is older than a change does not undo it. */
  turn: number
}

// oxlint-disable-next-line max-lines-per-function -- who is watched, doubted and told are one state
export function createWatching(options: WatchingOptions): Watching {
  const { clock, whereabouts, fleet } = options
  /** Who may have come or gone since the last flush. */
  let noted = new Set<string>()
  let callOff: (() => void) | undefined
  const told = new Map<string, Told>()
  let turn = 0
  /** Of whom something else is heard than was told. */
  const doubted = new Set<string>()
  /** Those who are being looked up: what is found may be older than what is heard meanwhile. */
  let asked: readonly string[] = []
  let reading: Promise<void> | undefined
  let isStopped = false

  function tell(found: ReadonlyMap<string, boolean>) {
    const changes: PresenceChange[] = []
    turn++
    for (const [user, online] of found) {
      if (!options.isWatched(user)) continue
      const before = told.get(user)
      told.set(user, { online, turn })
      if (before?.online !== online) changes.push({ user, online })
    }
    if (changes.length > 0) options.presenceChanged(changes)
  }

  function hear(lines: readonly PresenceLine[]) {
    for (const [user, online] of lines)
      if (options.isWatched(user) && (told.get(user)?.online !== online || asked.includes(user))) doubted.add(user)
    void read().catch(plan)
  }

  /** One look-up at a time, so that it is told in the order in which it was found. */
  function read(): Promise<void> {
    if (doubted.size === 0) return reading ?? Promise.resolve()
    reading ??= readAll()
    return reading
  }

  async function readAll() {
    try {
      while (doubted.size > 0) {
        asked = [...doubted].slice(0, options.changesMax)
        for (const user of asked) doubted.delete(user)
        tell(await lookUp(asked))
        asked = []
      }
    } finally {
      // What was asked for and not found.
      for (const user of asked) doubted.add(user)
      asked = []
      // At once: whoever is doubted from here on is read anew.
      reading = undefined
    }
  }

  const isOnline = (user: string, places: Places | undefined) =>
    options.isHere(user) || (places !== undefined && fleet.isLiveAny(places.filter(place => place !== options.place())))

  async function flush(): Promise<void> {
    callOff?.()
    callOff = undefined
    const users = [...noted]
    noted = new Set()
    if (users.length === 0) return
    const [places, watchers] = await Promise.all([
      whereabouts.find('presence', users),
      whereabouts.find('watch', users),
    ]).catch((error: unknown) => {
      for (const user of users) noted.add(user)
      throw error
    })
    const at = clock.now()
    const perPlace = new Map<string, PresenceLine[]>()
    users.forEach((user, i) => {
      const online = isOnline(user, places[i])
      for (const place of watchers[i] ?? []) {
        if (fleet.isOver(place)) continue
        const lines = perPlace.get(place)
        if (lines === undefined) perPlace.set(place, [[user, online, at]])
        else lines.push([user, online, at])
      }
    })
    for (const [place, lines] of perPlace) {
      if (place === options.place()) hear(lines)
      else
        for (let i = 0; i < lines.length; i += options.changesMax)
          options.send(place, lines.slice(i, i + options.changesMax))
    }
  }

  function plan() {
    if (!isStopped) callOff ??= clock.after(options.gatherMs, () => void flush().then(read).catch(plan))
  }

  async function lookUp(users: readonly string[]): Promise<Map<string, boolean>> {
    const places = await whereabouts.find('presence', users)
    const found = new Map<string, boolean>()
    // A part of the store that does not answer leaves what was told as it is.
    users.forEach((user, i) => {
      if (places[i] !== undefined || options.isHere(user)) found.set(user, isOnline(user, places[i]))
    })
    return found
  }

  return {
    note(user) {
      noted.add(user)
      plan()
    },
    flush,
    heard: hear,
    async begin(users) {
      const began = turn
      const found = await lookUp(users)
      const online: string[] = []
      for (const [user, isOnline] of found) {
        let known = told.get(user)
        if (known === undefined || known.turn <= began) {
          known = { online: isOnline, turn: began }
          if (options.isWatched(user)) told.set(user, known)
        }
        if (known.online) online.push(user)
      }
      return online
    },
    end(users) {
      for (const user of users) told.delete(user)
    },
    async recheck(users) {
      for (const user of users) doubted.add(user)
      await read()
    },
    async online(users) {
      return new Set([...(await lookUp(users))].filter(([, online]) => online).map(([user]) => user))
    },
    stop() {
      isStopped = true
      callOff?.()
      callOff = undefined
    },
  }
}
