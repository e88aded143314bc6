import { expect, test } from 'vitest'
import { createFleet } from './fleet.ts'
import type { NodeView } from './leases.ts'

const info = { kind: 'gateway', url: '', region: '', connections: 0, accepting: true } as const
const view = (node: string, generation: number, changes: Partial<NodeView> = {}): NodeView => ({
  node,
  generation,
  state: 'live',
  info,
  beatAt: 0,
  beatAgeMs: 0,
  swept: false,
  ...changes,
})

function start() {
  let strangers = 0
  const fleet = createFleet(() => strangers++)
  const beat = (steady: number, ...nodes: NodeView[]) => {
    fleet.beginBeat(steady)
    return fleet.update({ held: true, nodes }, steady)
  }
  return { fleet, beat, strangers: () => strangers }
}

test('a place ends by an expiry, by a goodbye, or by being gone from view; the dead of the first view are history', () => {
  const { fleet, beat } = start()
  const nothing = { died: [], ended: [] }
  expect(beat(0, view('a', 1), view('old', 1, { state: 'expired', beatAgeMs: 9 }))).toEqual(nothing)
  expect(fleet.unswept()).toEqual(['old:1'])
  expect(beat(10, view('a', 1), view('b', 1), view('c', 1, { beatAgeMs: 4 }))).toEqual({ died: [], ended: ['old:1'] })
  expect(beat(20, view('a', 1, { state: 'expired', beatAgeMs: 15 }), view('b', 1, { state: 'released' }))).toEqual({
    died: [
      { place: 'a:1', lastSeen: 5 },
      { place: 'c:1', lastSeen: 6 },
    ],
    ended: ['a:1', 'b:1', 'c:1'],
  })
  expect(beat(30, view('a', 1, { state: 'expired', swept: true }), view('b', 1, { state: 'released' }))).toEqual(
    nothing,
  )
  expect(fleet.live()).toEqual([])
  expect(fleet.unswept()).toEqual(['b:1'])
})

test('a place that no view shows counts as new, until a beat that was sent later does not show it either', () => {
  const { fleet, beat, strangers } = start()
  beat(0)
  fleet.beginBeat(10)
  expect(fleet.isOver('b:5')).toBe(false)
  expect(fleet.isOver('b:5')).toBe(false)
  expect(strangers()).toBe(1)
  // This answer was on its way already.
  fleet.update({ held: true, nodes: [] }, 11)
  expect(fleet.hasStrangers()).toBe(true)
  expect(fleet.isOver('b:5')).toBe(false)
  beat(20)
  expect(fleet.hasStrangers()).toBe(false)
  expect(fleet.isOver('b:5')).toBe(true)
  expect(fleet.isOver('c:1')).toBe(false)
  beat(30, view('c', 1))
  expect(fleet.isOver('c:1')).toBe(false)
})

test('a newer generation fences the older one', () => {
  const { fleet, beat } = start()
  beat(0, view('a', 7))
  expect(fleet.isOver('a:6')).toBe(true)
  expect(fleet.isOver('a:7')).toBe(false)
  expect(fleet.isOver('a:8')).toBe(false)
})

test('where nobody listened is out of reach until it is heard, or beats after that', () => {
  const { fleet, beat } = start()
  beat(0, view('a', 1), view('b', 1))
  fleet.mark('a:1', true, 100)
  fleet.mark('b:1', true, 100)
  expect([fleet.isReachable('a:1'), fleet.isOver('a:1')]).toEqual([false, false])
  fleet.mark('b:1', false, 105)
  expect(fleet.isReachable('b:1')).toBe(true)
  beat(110, view('a', 1, { beatAgeMs: 20 }))
  expect(fleet.isReachable('a:1')).toBe(false)
  beat(120, view('a', 1, { beatAgeMs: 5 }))
  expect(fleet.isReachable('a:1')).toBe(true)
})
