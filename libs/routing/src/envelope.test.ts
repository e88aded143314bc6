import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEnvelope, deliveryOf, encodeEnvelope, envelopeVersion, type Header, itemOf } from './envelope.ts'

const header: Header = { v: envelopeVersion, from: 'a:1', to: 'b:2', n: 3 }

test('an envelope comes out as it went in, whatever JSON its frames are', () => {
  const framed = fc.record({ to: fc.array(fc.string(), { minLength: 1 }), frame: fc.json() })
  fc.assert(
    fc.property(fc.array(framed), lines => {
      const items = lines.map(({ to }) => ({ to }))
      const frames = lines.map(({ frame }) => frame)
      const sent = items.length === 0 ? header : { ...header, items }
      expect(decodeEnvelope(encodeEnvelope(sent, frames))).toEqual({ header: sent, frames })
    }),
  )
})

test('no text at all makes the decoder throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), text => {
      expect(decodeEnvelope(text)).toBeUndefined()
    }),
  )
})

test.each([
  ['an earlier version', { ...header, v: 0 }, []],
  ['no sender', { ...header, from: undefined }, []],
  ['no addressee', { ...header, to: 7 }, []],
  ['no number', { ...header, n: '3' }, []],
  ['a frame too many', header, ['{}']],
  ['a frame too few', { ...header, items: [{ to: ['ann'] }, { to: ['bob'] }] }, ['{}']],
  ['items that are none', { ...header, items: 1 }, ['{}']],
  ['a number that is no count', { ...header, n: 1e300 }, []],
  ['nobody to whom it is', { ...header, items: [{ to: null }] }, ['{}']],
  ['a version that is no count', { ...header, items: [{ to: { conversation: 'talk', version: 1e300 } }] }, ['{}']],
  ['an entry that is none', { ...header, items: [{ to: ['ann'], entry: { conversation: 'talk', seq: 1.5 } }] }, ['{}']],
  [
    'a membership that is none',
    { ...header, items: [{ to: ['ann'], asOf: { conversation: 'talk', version: 1e300 } }] },
    ['{}'],
  ],
  ['signals that are no count', { ...header, signals: -1 }, []],
  ['signals of nobody', { ...header, lostMs: 1, signalsOf: [null] }, []],
  ['no entry for whoever is here', { ...header, items: [{ to: { conversation: 'talk', version: 1 } }] }, ['{}']],
  ['presence of nobody', { ...header, presence: [null] }, []],
])('%s is refused', (_name, bad, frames) => {
  expect(decodeEnvelope(encodeEnvelope(bad as Header, frames))).toBeUndefined()
})

test('the class of a frame survives the way, and what does not say its class is no less than a signal', () => {
  const asOf = { conversation: 'talk', version: 3 }
  const deliveries = [
    { class: 'entry', entry: { conversation: 'talk', seq: 7 } },
    { class: 'signal' },
    { class: 'ephemeral' },
    { class: 'ephemeral', asOf },
  ] as const
  const items = deliveries.map(delivery => itemOf(['ann'], delivery))
  const envelope = decodeEnvelope(
    encodeEnvelope(
      { ...header, items },
      items.map(() => '{}'),
    ),
  )
  expect(envelope?.header.items?.map(deliveryOf)).toEqual(deliveries)
  // As an older node sends typing, and a signal or a receipt; and as a newer one may send what is not known here.
  expect(deliveryOf({ to: ['ann'], asOf })).toEqual({ class: 'ephemeral', asOf })
  expect(deliveryOf({ to: ['ann'] })).toEqual({ class: 'signal' })
  expect(deliveryOf({ to: ['ann'], class: 'call' })).toEqual({ class: 'signal' })
})
