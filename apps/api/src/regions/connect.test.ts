import { expect, test } from 'vitest'
import { rankGateways } from './connect.ts'

type NodeView = Parameters<typeof rankGateways>[0][number]

function gateway(name: string, info: Partial<NodeView['info']> = {}, state: NodeView['state'] = 'live'): NodeView {
  return {
    node: name,
    generation: 1,
    state,
    info: { kind: 'gateway', url: `ws://${name}/v1/socket`, region: 'eu', connections: 0, accepting: true, ...info },
  } as NodeView
}

/** A sequence that repeats, so that the draws are known. */
const draws = (...values: number[]) => {
  let at = 0
  return () => values.at(at++ % values.length) ?? 0
}

const names = (ranked: ReturnType<typeof rankGateways>) => ranked.map(one => one.url.slice(5).split('/')[0])

test('the region of the caller comes first, however loaded, and the next one is the fallback', () => {
  const nodes = [gateway('us', { region: 'us' }), gateway('eu', { connections: 10_000 })]
  expect(names(rankGateways(nodes, ['eu', 'us'], Math.random))).toEqual(['eu', 'us'])
  expect(names(rankGateways(nodes, ['us', 'eu'], Math.random))).toEqual(['us', 'eu'])
  expect(names(rankGateways(nodes, ['asia'], Math.random))).toHaveLength(2)
})

test('of two drawn at random the less loaded one comes first', () => {
  const nodes = [gateway('busy', { connections: 900 }), gateway('idle', { connections: 100 })]
  expect(names(rankGateways(nodes, ['eu'], draws(0, 0.9)))).toEqual(['idle', 'busy'])
  expect(names(rankGateways(nodes, ['eu'], draws(0.9, 0)))).toEqual(['idle', 'busy'])
})

test('callers are spread: the busiest is first for few, and the idlest is not first for all', () => {
  const nodes = [0, 100, 200, 300].map(connections => gateway(`n${connections}`, { connections }))
  const first = new Map<string | undefined, number>()
  let seed = 1
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  for (let turn = 0; turn < 4_000; turn++) {
    const [name] = names(rankGateways(nodes, ['eu'], random))
    first.set(name, (first.get(name) ?? 0) + 1)
  }
  expect(first.get('n0')).toBeGreaterThan(1_500)
  expect(first.get('n0')).toBeLessThan(2_000)
  expect(first.get('n300')).toBeLessThan(400)
})

test.each([
  ['an expired one', gateway('x', {}, 'expired')],
  ['a released one', gateway('x', {}, 'released')],
  ['one that takes nobody', gateway('x', { accepting: false })],
  ['a process of the API', gateway('x', { kind: 'api' })],
])('%s is not offered', (_name, node) => {
  expect(rankGateways([node, gateway('good')], ['eu'], Math.random)).toEqual([
    { url: 'ws://good/v1/socket', region: 'eu' },
  ])
})

test('nodes behind one URL are one, and the list is short but reaches the next region', () => {
  const one = [gateway('a', { url: 'wss://edge' }), gateway('b', { url: 'wss://edge' })]
  expect(rankGateways(one, ['eu'], Math.random)).toEqual([{ url: 'wss://edge', region: 'eu' }])
  const many = ['eu', 'us', 'asia'].flatMap(region => [1, 2, 3, 4].map(at => gateway(`${region}${at}`, { region })))
  expect(rankGateways(many, ['asia', 'eu'], Math.random).map(found => found.region)).toEqual([
    'asia',
    'asia',
    'asia',
    'eu',
    'eu',
  ])
})
