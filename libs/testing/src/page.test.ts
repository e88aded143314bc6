import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { projectFolder } from './machine.ts'
import { renderTargets, summarize, writePart } from './page.ts'

function pageOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'page-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'page.md'), text)
  return join(folder, 'page.md')
}
const place = (name: string) => `<!-- ${name}: figures -->\n<!-- ${name}: end -->\n`

test('figures that are written change the summary of their page with them', () => {
  const page = pageOf(
    `# Page\n\n${place('summary')}\n## One, or two\n\n${place('one')}\n## Fleet\n\n### All gone\n\n${place('gone')}`,
  )
  const targets = [
    { promise: 'at most 2.5 KB', result: '1.33 KB', met: true },
    { promise: 'at least 6 times as many', result: '2.99', met: false },
  ]
  writePart(page, 'one', `${renderTargets(targets)}\n`)
  writePart(page, 'gone', `${renderTargets(targets.toReversed())}\n`)
  const text = readFileSync(page, 'utf8')
  expect(text).toContain('1 of 2 targets are met:')
  expect(text).toContain(
    '| [One, or two](#one-or-two) | at most 2.5 KB | 1.33 KB | met |\n|  | at least 6 times as many | 2.99 | **missed** |',
  )
  expect(text).toContain('| [All gone](#all-gone) | 1 of 2 | at least 6 times as many |')
  writePart(page, 'gone', `${renderTargets([{ ...targets[1]!, met: true }])}\n`)
  expect(readFileSync(page, 'utf8')).toContain('| [All gone](#all-gone) | 1 of 1 |  |')
})

test('a page without a summary gets none, and one without a place is refused', () => {
  const page = pageOf(place('one'))
  writePart(page, 'one', 'figures\n')
  expect(readFileSync(page, 'utf8')).toBe('<!-- one: figures -->\n\nfigures\n\n<!-- one: end -->\n')
  expect(() => writePart(page, 'two', '')).toThrow('has no line <!-- two: figures -->')
})

test('the summary of docs/benchmarks.md says what stands below it', () => {
  const page = readFileSync(join(projectFolder, 'docs', 'benchmarks.md'), 'utf8')
  expect(page).toContain(`<!-- summary: figures -->\n\n${summarize(page)}\n<!-- summary: end -->`)
})
