/** docs/messages.md shows what people can write. What it says is what the parser and the wire do. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { limits, type PostedBody, refuseBody } from '@flotilla/protocol'
import { parseMarkup, plainText } from '@flotilla/protocol/markup'
import { decodeCommand, isUndecodable } from '@flotilla/protocol/schemas'
import { expect, test } from 'vitest'

const page = readFileSync(fileURLToPath(new URL('../../../docs/messages.md', import.meta.url)), 'utf8')
/** `| source | node | plain |` */
const rows = [...page.matchAll(/^\| (`+) ?(.+?) ?\1 \| `(\w+)` \| (.+) \|$/gm)].map(
  ([, , source = '', node = '', plain = '']) => ({ source: source.replaceAll('\\|', '|'), node, plain }),
)
const examples = [...page.matchAll(/```json\n(.+?)\n```/gs)].map(([, text = '']) => JSON.parse(text) as unknown)

test('the page has a row for every node but the code block, which it shows', () => {
  const nodes = ['bold', 'code', 'italic', 'link', 'list', 'mention', 'quote', 'spoiler', 'strike', 'text']
  expect([...new Set(rows.map(row => row.node))].sort()).toEqual(nodes)
  const fenced = /````\n(.+?)\n````/s.exec(page)?.[1] ?? ''
  expect(parseMarkup(fenced)).toEqual([{ type: 'code_block', language: 'ts', text: 'const answer = 42' }])
})

test.each(rows)('$source is $node', ({ source, node, plain }) => {
  const tree = parseMarkup(source)
  expect(plainText(tree)).toBe(plain)
  const [block] = tree
  const shown = block?.type === 'paragraph' ? block.children.map(one => one.type) : [block?.type]
  expect(shown).toEqual([node])
})

test('the tree is that of the text above it', () => {
  const [, source = ''] = /^`(.+)` is this tree:$/m.exec(page) ?? []
  expect(parseMarkup(source)).toEqual(examples[0])
})

test.each(examples.slice(1) as PostedBody[])('the example of a $type can be sent', body => {
  const conversation = '0197f6a2-8e0a-4d0e-9f57-2f2f1c9d6a11'
  const frame = { id: 1, op: 'message.send', conversation, clientId: conversation, body }
  expect(isUndecodable(decodeCommand(JSON.stringify(frame)))).toBe(false)
  expect(refuseBody(body)).toBeUndefined()
})

test('the length that it names is the limit', () => {
  expect(page).toContain(`1 to ${limits.textLengthMax.toLocaleString('en')} of them`)
  expect(examples).toHaveLength(3)
})
