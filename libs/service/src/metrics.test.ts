import { expect, test } from 'vitest'
import { counter, createRegistry, describeMetrics, gauge, histogram, openMetrics, readTogether } from './metrics.ts'

const catalogue = {
  flotilla_things_total: counter('things', 'Things', { kind: ['a', 'b'] }),
  flotilla_named_total: counter('things', 'Things by name', { name: 'what a deployment names' }),
  flotilla_risen_total: counter('things', 'Things that were read'),
  flotilla_level: gauge('metres', 'How high it stands', { side: ['left', 'right'] }),
  flotilla_wait_seconds: histogram('seconds', [1, 2], 'How long it took'),
} as const

function open() {
  const registry = createRegistry({ node: 'n' })
  return { registry, metrics: openMetrics(registry, catalogue) }
}
const linesOf = (text: string, name: string) =>
  text.split('\n').filter(line => line.startsWith(name) || line.startsWith(`# TYPE ${name}`))

test('series whose labels are known are there from the start, so that their first rise is one', async () => {
  const { registry, metrics } = open()
  metrics.counter('flotilla_named_total')
  metrics.counter('flotilla_things_total').inc({ kind: 'b' })
  const text = await registry.metrics()
  expect(linesOf(text, 'flotilla_things_total')).toEqual([
    '# TYPE flotilla_things_total counter',
    'flotilla_things_total{kind="a",node="n"} 0',
    'flotilla_things_total{kind="b",node="n"} 1',
  ])
  expect(linesOf(text, 'flotilla_named_total')).toEqual(['# TYPE flotilla_named_total counter'])
})

test('what is read at a scrape is as it is then; a store that is away leaves it as it was', async () => {
  const { registry, metrics } = open()
  let risen = 5
  let level: Record<string, number> | undefined = { left: 1, right: 2 }
  metrics.read('flotilla_risen_total', () => risen)
  metrics.read('flotilla_level', () => Promise.resolve(level))
  const scrape = async () => {
    const text = await registry.metrics()
    return [...linesOf(text, 'flotilla_risen_total'), ...linesOf(text, 'flotilla_level')]
  }
  const expected = [
    '# TYPE flotilla_risen_total counter',
    'flotilla_risen_total{node="n"} 5',
    '# TYPE flotilla_level gauge',
    'flotilla_level{side="left",node="n"} 1',
    'flotilla_level{side="right",node="n"} 2',
  ]
  expect(await scrape()).toEqual(expected)
  risen = 7
  level = undefined
  expect(await scrape()).toEqual(expected.with(1, 'flotilla_risen_total{node="n"} 7'))
  level = { right: 3 }
  expect(await scrape()).not.toContain('flotilla_level{side="left",node="n"} 1')
})

test('a tally says what a histogram says', async () => {
  const names = {
    flotilla_wait_seconds: catalogue.flotilla_wait_seconds,
    flotilla_op_seconds: histogram('seconds', [1, 2], 'By op', { op: 'any' }),
  }
  const [own, theirs] = [createRegistry({ node: 'n' }), createRegistry({ node: 'n' })]
  const [ours, usual] = [openMetrics(own, names), openMetrics(theirs, names)]
  const [wait, usualWait] = [ours.tally('flotilla_wait_seconds'), usual.histogram('flotilla_wait_seconds')]
  const [byOp, usualByOp] = [ours.tally('flotilla_op_seconds'), usual.histogram('flotilla_op_seconds')]
  const scrape = async (registry: typeof own) => {
    const text = await registry.metrics()
    // Labels may come in any order.
    const lines = [...linesOf(text, 'flotilla_wait_seconds'), ...linesOf(text, 'flotilla_op_seconds')]
    return lines.map(line => line.replace(/{(.*)}/, (_, labels: string) => `{${labels.split(',').toSorted().join()}}`))
  }
  expect(await scrape(own)).toEqual(await scrape(theirs))
  for (const value of [0, 1, 1.5, 2, 2.001, 9]) {
    wait.observe(value)
    usualWait.observe(value)
    for (const op of value < 2 ? ['send', 'ping'] : ['send']) {
      byOp.observe(value, op)
      usualByOp.observe({ op }, value)
    }
  }
  expect(await scrape(own)).toEqual(await scrape(theirs))
  expect(await scrape(own)).toContain('flotilla_wait_seconds_count{node="n"} 6')
  expect([...byOp.counts()]).toEqual([
    ['send', 6],
    ['ping', 3],
  ])
})

test('a counter is told at the scrape what was counted elsewhere', async () => {
  const { registry, metrics } = open()
  let counted = 3
  metrics
    .counter('flotilla_named_total', made => {
      made.inc({ name: 'elsewhere' }, counted)
      counted = 0
    })
    .inc({ name: 'here' })
  await registry.metrics()
  counted = 2
  expect(linesOf(await registry.metrics(), 'flotilla_named_total').slice(1)).toEqual([
    'flotilla_named_total{name="here",node="n"} 1',
    'flotilla_named_total{name="elsewhere",node="n"} 5',
  ])
})

test('what is read together is read once a scrape', async () => {
  let reads = 0
  const read = readTogether(() => ++reads)
  expect([read(), read()]).toEqual([1, 1])
  await new Promise(resolve => setImmediate(resolve))
  expect(read()).toBe(2)
})

test('the paper has a row for each, with what its labels can be', () => {
  expect(describeMetrics(catalogue).split('\n').slice(2, 4)).toEqual([
    '| `flotilla_things_total` | counter | things | `kind`: `a`, `b` | Things |',
    '| `flotilla_named_total` | counter | things | `name`: what a deployment names | Things by name |',
  ])
})
