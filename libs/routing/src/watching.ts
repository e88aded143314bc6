/**
 * Who is online, for those who watch. Who may have come or gone is gathered for a moment, then looked up once more, and
 * how it stands now is sent to the places in which somebody watches that person. There it is compared with what the
 * local watchers were last told, so that they hear of changes only and a flap cancels out.
 *
 * Nothing of this is stored and nothing waits for it. What gets lost is found by the next `recheck`.
 */
import type { Clock } from './clock.ts'
import type { PresenceLine } from './envelope.ts'
import type { Fleet } from './fleet.ts'
import type { Places, Whereabouts } from './whereabouts.ts'

export interface PresenceChange {
  readonly user: string
  readonly online: boolean
  /** When it was found out (wall clock, ms). */
  readonly at: number
}

export interface WatchingOptions {
  readonly clock: Clock
  readonly whereabouts: Whereabouts
  readonly fleet: Fleet
  /** How long changes are gathered. */
  readonly gatherMs: number
  /** Changes in one envelope. */
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
  /** A change was told by another node. */
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

export function createWatching(options: WatchingOptions): Watching {
  const { clock, whereabouts, fleet } = options
  /** Who may have come or gone since the last flush. */
  let noted = new Set<string>()
  let callOff: (() => void) | undefined
  const told = new Map<string, Told>()
  let turn = 0

  function tell(lines: readonly PresenceLine[]) {
    const changes: PresenceChange[] = []
    turn++
    for (const [user, online, at] of lines) {
      if (!options.isWatched(user)) continue
      const before = told.get(user)
      told.set(user, { online, turn })
      if (before?.online !== online) changes.push({ user, online, at })
    }
    if (changes.length > 0) options.presenceChanged(changes)
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
      if (place === options.place()) tell(lines)
      else
        for (let i = 0; i < lines.length; i += options.changesMax)
          options.send(place, lines.slice(i, i + options.changesMax))
    }
  }

  function plan() {
    callOff ??= clock.after(options.gatherMs, () => void flush().catch(plan))
  }

  async function lookUp(users: readonly string[]): Promise<PresenceLine[]> {
    const places = await whereabouts.find('presence', users)
    const at = clock.now()
    const lines: PresenceLine[] = []
    // A part of the store that does not answer leaves what was told as it is.
    users.forEach((user, i) => {
      if (places[i] !== undefined || options.isHere(user)) lines.push([user, isOnline(user, places[i]), at])
    })
    return lines
  }

  return {
    note(user) {
      noted.add(user)
      plan()
    },
    flush,
    heard: tell,
    async begin(users) {
      const began = turn
      const lines = await lookUp(users)
      const online: string[] = []
      for (const [user, isOnline] of lines) {
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
      const began = turn
      const lines = await lookUp(users)
      tell(lines.filter(([user]) => (told.get(user)?.turn ?? 0) <= began))
    },
    async online(users) {
      return new Set((await lookUp(users)).filter(([, online]) => online).map(([user]) => user))
    },
    stop() {
      callOff?.()
      callOff = undefined
    },
  }
}
