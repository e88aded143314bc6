/**
 * Who is live nowhere, although something was for them: the offline index is told.
 *
 * What is sent person by person finds the absent by the look-up that it needs anyway, and whoever turns out to be missing at
 * a place is looked up once more. What goes by interest needs nobody's place; its people are looked up for this alone, once
 * for all entries of a while. Whoever came in that while has read the head after the commit, and whoever went gets a row
 * that they may not need: nobody is left out. Against a look-up for each message, a group of 1,000 costs a gateway
 * three tenths less.
 */
import type { Clock } from './clock.ts'
import type { RoutedEntry } from './envelope.ts'
import type { Fleet } from './fleet.ts'
import type { Hints } from './hints.ts'
import { nowhere, type Places, type Whereabouts } from './whereabouts.ts'

/** An entry that found nobody live for one of its people. */
export interface Absence {
  readonly user: string
  readonly conversation: string
  readonly seq: number
}

/** An entry, and those who have their row for it in the offline index already. */
export interface Owing {
  readonly entry: RoutedEntry
  readonly owed?: readonly string[] | undefined
}

/** Says of whom it is to be reported that they are nowhere: there is no row for them yet. */
export function isToBeReported({ owed = [] }: Owing): (user: string) => boolean {
  if (owed.length === 0) return () => true
  const has = owed.length > 8 ? new Set(owed) : undefined
  return user => !(has === undefined ? owed.includes(user) : has.has(user))
}

export interface Absences {
  /** Nobody is live for them. */
  report(list: readonly Absence[]): void
  /**
   * Reports people who were missed at a place, unless one more look finds them at another. Who comes back to it
   * meanwhile reads the head after the commit, and misses nothing.
   */
  reportAfterLook(missedAt: string, list: readonly Absence[]): void
  /**
   * Looks in a while who of these people is nowhere, and reports them. Entries with the very same list of people are looked
   * after together.
   * @returns false when too many entries wait
   */
  lookLater(people: readonly string[], owing: Owing): boolean
  /** Who of this very list was nowhere, when that was looked up within the last moments. */
  awayLately(people: readonly string[]): readonly string[] | undefined
  /** Looks once more, for those who wait for it. Never rejects. */
  stop(): Promise<void>
}

export interface AbsencesOptions {
  readonly whereabouts: Whereabouts
  readonly fleet: Fleet
  readonly hints: Hints
  readonly clock: Clock
  readonly stats: { lookups: number; absences: number }
  /** Entries that go by interest wait so long for the look-up of their people. */
  readonly gatherMs: number
  /** After a look-up that failed, none is tried for so long. */
  readonly pauseMs: number
  /** Entries that wait. */
  readonly entriesMax: number
  place(): string
  isHere(user: string): boolean
  absent(absences: readonly Absence[]): void
}

/** People in one look-up, unless one conversation has more: then its answer does not hold up the loop for long. */
const lookedUpMax = 4_096
/** Who was away is known for so long after the look-up: where much is said, nobody is asked about one by one. */
const awayMs = 1_000

export function createAbsences(options: AbsencesOptions): Absences {
  /** By the list of people, which is one and the same for all entries of a version of the membership. */
  let waiting = new Map<readonly string[], Owing[]>()
  let entries = 0
  const lately = new WeakMap<readonly string[], { readonly at: number; readonly away: readonly string[] }>()
  let callOff: (() => void) | undefined
  let isStopped = false

  function report(list: readonly Absence[]) {
    options.stats.absences += list.length
    if (list.length > 0) options.absent(list)
  }

  function add(users: readonly string[], owing: readonly Owing[]) {
    const known = waiting.get(users)
    if (known === undefined) waiting.set(users, [...owing])
    else known.push(...owing)
    entries += owing.length
  }

  function plan(ms: number) {
    if (isStopped) return
    callOff ??= options.clock.after(ms, () => {
      callOff = undefined
      void look()
    })
  }

  async function look(): Promise<void> {
    const due = waiting
    waiting = new Map()
    entries = 0
    while (due.size > 0) {
      const [lists, names] = take(due)
      let found: ReadonlyMap<string, boolean>
      try {
        found = await areAway(options, [...names])
      } catch {
        // The next look finds whoever is away by then. Whoever went meanwhile gets a row that they may not need.
        for (const [users, owing] of due) add(users, owing)
        return plan(options.pauseMs)
      }
      const absences: Absence[] = []
      for (const users of lists) {
        const owing = due.get(users)!
        due.delete(users)
        const away = users.filter(user => found.get(user) === true)
        for (const one of owing) absences.push(...absencesAmong(away, one))
        const unknown = users.filter(user => found.get(user) === undefined)
        if (unknown.length > 0) add(unknown, owing)
        else lately.set(users, { at: options.clock.steady(), away })
      }
      report(absences)
    }
    if (waiting.size > 0) plan(options.pauseMs)
  }

  return {
    report,
    reportAfterLook(missedAt, list) {
      if (list.length === 0) return
      void areElsewhere(options, missedAt, new Set(list.map(({ user }) => user))).then(elsewhere =>
        report(list.filter(({ user }) => !elsewhere.has(user))),
      )
    },
    lookLater(people, owing) {
      if (entries >= options.entriesMax) return false
      add(people, [owing])
      plan(options.gatherMs)
      return true
    },
    awayLately(people) {
      const known = lately.get(people)
      return known !== undefined && options.clock.steady() - known.at < awayMs ? known.away : undefined
    },
    async stop() {
      isStopped = true
      callOff?.()
      await look()
    },
  }
}

/** Takes from what waits, as far as one look-up may go. */
function take(due: ReadonlyMap<readonly string[], unknown>): [(readonly string[])[], Set<string>] {
  const lists = []
  const names = new Set<string>()
  for (const users of due.keys()) {
    if (lists.length > 0 && names.size + users.length > lookedUpMax) break
    lists.push(users)
    for (const user of users) names.add(user)
  }
  return [lists, names]
}

/** Of each whether they are nowhere; nothing of those who could not be looked up. */
async function areAway(options: AbsencesOptions, users: readonly string[]): Promise<Map<string, boolean>> {
  const { whereabouts, fleet, hints, clock, stats } = options
  stats.lookups++
  const found = await whereabouts.find('presence', users)
  const now = clock.steady()
  const self = options.place()
  const isReached = new Map<Places, boolean>()
  const away = new Map<string, boolean>()
  for (let i = 0; i < users.length; i++) {
    const user = users[i]!
    const places = found[i]
    if (places === undefined) continue
    let reached = isReached.get(places)
    if (reached === undefined) {
      reached = places.some(place => place !== self && fleet.isReachable(place))
      isReached.set(places, reached)
    }
    const isAway = !reached && !options.isHere(user)
    hints.note(user, !isAway, now)
    away.set(user, isAway)
  }
  return away
}

/** Those who are at another place than the one at which they were missed. */
async function areElsewhere(
  { whereabouts, fleet, hints, clock }: AbsencesOptions,
  missedAt: string,
  users: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const elsewhere = new Set<string>()
  try {
    const names = [...users]
    const found = await whereabouts.find('presence', names)
    names.forEach((user, i) => {
      const places = found[i]?.filter(place => place !== missedAt) ?? nowhere
      const isElsewhere = places.some(place => fleet.isReachable(place))
      if (isElsewhere) elsewhere.add(user)
      hints.note(user, isElsewhere, clock.steady())
    })
  } catch {
    // Better one row too many in the offline index than one too few.
  }
  return elsewhere
}

function absencesAmong(away: readonly string[], owing: Owing): Absence[] {
  if (away.length === 0) return []
  const { conversation, seq } = owing.entry
  return away.filter(isToBeReported(owing)).map(user => ({ user, conversation, seq }))
}
