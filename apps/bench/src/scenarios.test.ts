import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '@flotilla/testing/load'
import { expect, test } from 'vitest'
import { scenarios } from './scenarios.ts'

test.each(scenarios.map(({ name, title }) => [name, title] as const))(
  'the page of the figures has a place for %s, below its title',
  (name, title) => {
    const page = readFileSync(join(projectFolder, 'docs', 'benchmarks.md'), 'utf8')
    const [, above] =
      new RegExp(`^## (.+)\n(?:(?!^## )[^])*<!-- ${name}: figures -->[^]*<!-- ${name}: end -->`, 'm').exec(page) ?? []
    expect(above).toBe(title)
  },
)
