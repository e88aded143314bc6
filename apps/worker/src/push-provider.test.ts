import { expect, test } from 'vitest'
import { dataOf, wordsOf } from './push-provider.ts'

const family = '👨‍👩‍👧'
const content = (senders: readonly string[], group?: string) => ({
  conversation: '0b7f2f4e-9d38-4d8f-8a53-6b5d1f9d0c01',
  uptoSeq: 7,
  kind: 'message' as const,
  count: 1,
  badge: 3,
  names: { senders, ...(group === undefined ? {} : { group }) },
})

test('a long name is cut between what a reader takes for characters', () => {
  for (const letter of ['田', 'e\u0301', '🇳🇱', family]) {
    const { title } = wordsOf(content([letter.repeat(70)]), 'Harbour')
    expect(title).toMatch(new RegExp(`^(?:${letter})+…$`, 'u'))
  }
  expect(wordsOf(content(['x'.repeat(60)]), 'Harbour').title).toBe('x'.repeat(60))
  expect(wordsOf(content(['x'.repeat(61)]), 'Harbour').title).toBe(`${'x'.repeat(59)}…`)
})

test('replies in one thread are told as such, and lead there', () => {
  const push = { ...content(['Ann'], 'Crew'), kind: 'reply' as const, thread: 4 }
  expect(wordsOf(push, 'Harbour')).toEqual({ title: 'Crew', body: 'Ann: new reply in a thread' })
  const { names: _, ...nameless } = { ...push, count: 2 }
  expect(wordsOf(nameless, 'Harbour')).toEqual({ title: 'Harbour', body: '2 new replies in a thread' })
  expect(dataOf(push)).toMatchObject({ kind: 'reply', thread: '4' })
  expect(dataOf(content(['Ann']))).not.toHaveProperty('thread')
})

test('the longest names leave a push within what the services carry', () => {
  const name = '😀\u{1f3fd}'.repeat(60)
  const push = content([name, name, name], name)
  expect(Buffer.byteLength(JSON.stringify({ ...wordsOf(push, 'Harbour'), ...dataOf(push) }))).toBeLessThan(3_500)
})
