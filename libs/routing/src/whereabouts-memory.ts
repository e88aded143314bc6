/** Who is where, inside one process. Shared by all nodes of the process. */
import { splitPlace } from './leases.ts'
import { type Kind, kinds, nowhere, type Places, type Whereabouts } from './whereabouts.ts'

/** Entries that `entries` hands out at a time. */
const chunkMax = 512

export function createMemoryWhereabouts(): Whereabouts {
  const maps: Record<Kind, Map<string, Places>> = { presence: new Map(), watch: new Map(), interest: new Map() }
  const rosters = new Map<string, Record<Kind, Set<string>>>()
  /** Nearly every name is in one place only: one list serves them all. */
  const alone = new Map<string, Places>()

  const withPlace = (place: string, others: Places): Places => {
    if (others.length > 0) return [place, ...others]
    let places = alone.get(place)
    if (places === undefined) {
      places = [place]
      alone.set(place, places)
    }
    return places
  }

  const rosterOf = (place: string) => {
    let roster = rosters.get(place)
    if (roster === undefined) {
      roster = { presence: new Set(), watch: new Set(), interest: new Set() }
      rosters.set(place, roster)
    }
    return roster
  }

  return {
    async enter(kind, names, place) {
      const map = maps[kind]
      const roster = rosterOf(place)[kind]
      const { node } = splitPlace(place)
      return names.map(name => {
        const before = map.get(name) ?? nowhere
        // An older generation of the same node is dead since this one began.
        const others = before.filter(other => splitPlace(other).node !== node)
        map.set(name, withPlace(place, others))
        roster.add(name)
        return { already: before.includes(place), others }
      })
    },
    async leave(kind, names, place) {
      const map = maps[kind]
      const roster = rosters.get(place)?.[kind]
      return names.map(name => {
        roster?.delete(name)
        const before = map.get(name)
        if (before === undefined || !before.includes(place)) return undefined
        const left = before.filter(other => other !== place)
        if (left.length === 0) map.delete(name)
        else map.set(name, left)
        return left
      })
    },
    async find(kind, names) {
      const map = maps[kind]
      return names.map(name => map.get(name) ?? nowhere)
    },
    async *entries(place) {
      const roster = rosters.get(place)
      if (roster === undefined) return
      for (const kind of kinds) {
        const names = [...roster[kind]]
        for (let at = 0; at < names.length; at += chunkMax)
          yield names.slice(at, at + chunkMax).map(name => ({ kind, name }))
      }
    },
    async mend() {},
    async intact() {
      return true
    },
    async forget(place) {
      rosters.delete(place)
      alone.delete(place)
    },
  }
}
