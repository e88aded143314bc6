import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { parseMarkup, parseMetered } from './parse.ts'
import { escapeMarkup, hiddenText, plainText, previewText } from './plain.ts'
import { type Block, type Inline, listLevelMax, nodesMax, quoteDepthMax, sourceLengthMax } from './tree.ts'

/** A tree in one line: `b` is bold, `i` italic, `s` strike, `?` a spoiler, `c` code, `@` a mention, `l` a link. */
const short: Record<string, string> = { bold: 'b', italic: 'i', strike: 's', spoiler: '?' }
function drawInline(node: Inline): string {
  if (node.type === 'text') return node.text
  if (node.type === 'code') return `c(${node.text})`
  if (node.type === 'mention') return `@(${node.name})`
  const children = node.children.map(drawInline).join('')
  return node.type === 'link' ? `l(${children}|${node.url})` : `${short[node.type]}(${children})`
}
function draw(block: Block): string {
  if (block.type === 'paragraph') return block.children.map(drawInline).join('')
  if (block.type === 'code_block') return `code:${block.language ?? ''}(${block.text})`
  if (block.type === 'quote') return `quote(${block.children.map(draw).join('\n')})`
  const items = block.items.map(
    ({ level, number = '', children }) => `${level}${number}:${children.map(drawInline).join('')}`,
  )
  return `list(${items.join(';')})`
}
const drawn = (source: string) => parseMarkup(source).map(draw).join('\n')

test.each([
  ['**a** *b* _c_ ~~d~~ ||e||', 'b(a) i(b) i(c) s(d) ?(e)'],
  ['***a*** **a *b*** *a **b***', 'b(i(a)) b(a i(b)) i(a b(b))'],
  ['||**a** `b`||', '?(b(a) c(b))'],
  ['**太字**です', 'b(太字)です'],
  ['**a\nb**', 'b(a\nb)'],
  ['`a*b*` ``a`b``', 'c(a*b*) c(a`b)'],
  [
    '[words](https://a.example/x_(y)) https://a.example/x.',
    'l(words|https://a.example/x_(y)) l(https://a.example/x|https://a.example/x).',
  ],
  ['(see https://a.example/x?y=1#z)', '(see l(https://a.example/x?y=1#z|https://a.example/x?y=1#z))'],
  ['[**a** b](mailto:a@b.example)', 'l(b(a) b|mailto:a@b.example)'],
  ['[https://a.example](https://b.example)', 'l(https://a.example|https://b.example)'],
  [
    '**https://a.example/**, tel:+64-9-555',
    'b(l(https://a.example/|https://a.example/)), l(tel:+64-9-555|tel:+64-9-555)',
  ],
  ['[ ](tel:1) [\u200b](tel:1)', '[ ](l(tel:1|tel:1)) [\u200b](l(tel:1|tel:1))'],
  ['@alice, @bob.', '@(alice), @(bob).'],
  ['```ts\nconst a = 1\n```', 'code:ts(const a = 1)'],
  ['a\n```\n**b**\n\nc```\nd', 'a\ncode:(**b**\n\nc)\nd'],
  ['> a\n> **b**\n> > c\nd', 'quote(a\nb(b)\nquote(c))\nd'],
  ['- a\n  - b\n1. c\n2) **d**', 'list(0:a;1:b;01:c;02:b(d))'],
])('%j says %j', (source, tree) => expect(drawn(source)).toBe(tree))

test.each([
  'snake_case_name, 2*3*4, a ** b, * *, **, ****, ~~~~, ||||, a || b || c',
  '¯\\_(ツ)_/¯ \\\\server\\share C:\\new\\1',
  '**a',
  '*a b',
  '_a',
  'a_b_c',
  '||a',
  '`a',
  '```js\na',
  '[a]',
  '[a](',
  '[a](b)',
  '[a](javascript:alert(1))',
  '[a](data:text/html,x)',
  '[a](//a.example)',
  '[a](https://bank.example@evil.example/)',
  'https://user:pass@a.example',
  'ftp://a.example',
  'xhttps://a.example',
  'https://',
  'http://.',
  'tel:a',
  'mailto:a',
  'https://\u2066a.example',
  'a@b.example',
  '@',
  'é@b',
  '>a',
  '>_<',
  '-a',
  '1.5 l',
  '1.a',
  '<b>bold</b>',
  '&lt; &amp;',
  '# a',
  '| a | b |',
  '![a](b)',
  '\ta',
])('%j is text', source =>
  expect(parseMarkup(source)).toEqual([{ type: 'paragraph', children: [{ type: 'text', text: source }] }]),
)

test.each([
  '👨‍👩‍👧 🇳🇱 👍🏽',
  'שלום עולם',
  'مرحبا',
  'e\u0301 a\u200db n\u200cm',
  'نشان\u200cدهنده',
  '한국어 \u1112\u1161\u11ab',
])('%j passes unharmed, alone and within marks', text => {
  expect(plainText(parseMarkup(text))).toBe(text)
  for (const mark of ['**', '*', '_', '~~', '`']) expect(plainText(parseMarkup(`${mark}${text}${mark}`))).toBe(text)
  expect(previewText(`**${text}**`, 100)).toBe(text.trim())
})

test('the plain form has words without marks, and hides spoilers', () => {
  const source = '**Hi** @bob: [there](https://a.example) ||secret ~~x~~||\n> ||a||\n- b\n  2. `c`\n```\nd\n```'
  expect(plainText(parseMarkup(source))).toBe(`Hi @bob: there ${hiddenText}\n> ${hiddenText}\n- b\n  2. c\nd`)
  expect(previewText('a\n\n- **b**\n\u0007 c', 100)).toBe('a - b c')
  expect(previewText(`**${'👨‍👩‍👧'.repeat(20)}**`, 10)).toBe(`${'👨‍👩‍👧'.repeat(9)}…`)
})

// ── whatever is written ──────────────────────────────────────────────────────────────────────────────────────────────

const pieces = [
  '**',
  '*',
  '_',
  '~~',
  '||',
  '`',
  '``',
  '```',
  '```js\n',
  '[',
  '](',
  ')',
  '(',
  '\\',
  '@',
  '> ',
  '>> ',
  '- ',
  '1. ',
  '  ',
  '\n',
  'https://',
  'http://a.b',
  'mailto:',
  'a@b.c',
  'tel:1',
  ' ',
  'a',
  '1',
  '.',
  '-',
  ':',
  '/',
  '👍🏽',
  '\u202e',
  '\u2066',
  '\ud83d',
  'ש',
]
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map(parts => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
)
const runs = { numRuns: 2_000 }

interface Seen {
  nodes: number
  depth: number
  texts: string[]
  hidden: string[]
  urls: string[]
}

function look(nodes: readonly (Inline | Block)[], seen: Seen, depth = 1, isHidden = false): Seen {
  for (const node of nodes) {
    seen.nodes += 1
    seen.depth = Math.max(seen.depth, depth)
    if (node.type === 'link') seen.urls.push(node.url)
    const hides = isHidden || node.type === 'spoiler'
    const say = (text: string) => (hides ? seen.hidden : seen.texts).push(text)
    if (node.type === 'mention') say(`@${node.name}`)
    else if (node.type === 'list')
      for (const item of node.items) {
        seen.nodes += 1
        expect(item.level).toBeLessThan(listLevelMax)
        look(item.children, seen, depth + 1, hides)
      }
    else if ('children' in node) look(node.children, seen, depth + 1, hides)
    else say(node.text)
  }
  return seen
}
const lookAt = (source: string) => look(parseMarkup(source), { nodes: 0, depth: 0, texts: [], hidden: [], urls: [] })

/** Five marks and a link within the paragraph of the innermost quote. */
const depthMax = quoteDepthMax + 8

test('nothing throws, and all that is shown was written, in its order', () => {
  fc.assert(
    fc.property(anyText, source => {
      const { texts, nodes, depth, urls } = lookAt(source)
      expect(depth).toBeLessThanOrEqual(depthMax)
      expect(nodes).toBeLessThanOrEqual(source.length * 2 + 1)
      let at = 0
      for (const letter of texts.join('')) {
        at = source.indexOf(letter, at) + letter.length
        expect(at).toBeGreaterThanOrEqual(letter.length)
      }
      for (const url of urls) {
        expect(url).toMatch(/^(?:https?:\/\/[^\s/?#@]|mailto:|tel:)[^\s]*$/i)
        expect(url).not.toMatch(/\p{Bidi_Control}/u)
        expect(source).toContain(url)
      }
    }),
    runs,
  )
})

test('what a spoiler hides is not in the plain form', () => {
  // Letters that are nowhere else.
  const secret = fc.stringMatching(/^[XYZ]{1,8}$/)
  fc.assert(
    fc.property(secret, anyText, (hidden, around) => {
      expect(plainText(parseMarkup(`||${hidden}||`))).toBe(hiddenText)
      const source = around.replaceAll('a', `||${hidden}||`)
      const seen = lookAt(source)
      const shown = plainText(parseMarkup(source))
      // As often as it stands outside of spoilers, and no more.
      expect(shown.split(hidden).length).toBeLessThanOrEqual(seen.texts.join('\n').split(hidden).length)
    }),
    runs,
  )
})

test('text without marks comes back as it is, and any text does that was escaped', () => {
  const markless = fc.string({ unit: fc.constantFrom(...Array.from('aé1 .,:;!?()#&<>/\n👍ש')), maxLength: 80 })
  fc.assert(
    fc.property(markless, source => {
      fc.pre(!/^(?:>( |$)|\s*\d+[.)] )/m.test(source))
      expect(parseMarkup(source)).toEqual([
        { type: 'paragraph', children: source === '' ? [] : [{ type: 'text', text: source }] },
      ])
    }),
    runs,
  )
  fc.assert(
    fc.property(anyText, source => {
      expect(plainText(parseMarkup(escapeMarkup(source)))).toBe(source)
    }),
    runs,
  )
})

test('the steps of any text are linear in its length', () => {
  const stepsPerUnitMax = 40
  const stepsOf = (source: string) => {
    const meter = { steps: 0, nodes: 0 }
    parseMetered(source, meter)
    return meter.steps
  }
  const holds = (source: string): void => {
    expect(stepsOf(source), source.slice(0, 40)).toBeLessThanOrEqual(stepsPerUnitMax * (source.length + 1))
  }
  fc.assert(fc.property(anyText, holds), runs)
  // What is repeated is what attackers find: each piece, and each pair and triple of some.
  const some = [
    '*',
    '**',
    '||',
    '`',
    '``',
    '[',
    '](',
    ')',
    '(',
    '\\',
    '> ',
    '- ',
    '\n',
    'https://a',
    'http://',
    '@',
    'a ',
    '```\n',
    '_a',
  ]
  for (const one of pieces)
    for (const two of some)
      for (const three of ['', ...some.slice(0, 12)]) {
        const piece = `${one}${two}${three}`
        holds(piece.repeat(Math.ceil(limits.textLengthMax / piece.length / 4)))
      }
  holds(Array.from({ length: 120 }, (_, n) => `${'`'.repeat(n + 1)} `).join(''))
  holds(`${'['.repeat(4_000)}${']('.repeat(2_000)}`)
  holds(`[a](${'('.repeat(8_000)}`)
})

test('a tree has at most so many nodes; the rest is shown as it was written', () => {
  for (const piece of ['*a* ', '@a ', '> a\nb\n', '- a\n', '`a` ', '||**_a_**||', 'https://a.b ']) {
    const source = piece.repeat(Math.floor(sourceLengthMax / piece.length))
    const { nodes, texts } = lookAt(source)
    expect(nodes).toBeLessThanOrEqual(nodesMax + 20)
    expect(texts.join('')).toContain(source.slice(-2 * piece.length, -piece.length))
  }
  const long = '**a** '.repeat(sourceLengthMax)
  expect(parseMarkup(long)).toEqual([{ type: 'paragraph', children: [{ type: 'text', text: long }] }])
})
