import { Parser } from '@asyncapi/parser'
import { expect, test } from 'vitest'
import { asyncApiDocument } from './asyncapi.ts'
import { down } from './down.ts'
import { up } from './up.ts'

test('the AsyncAPI document is valid and names every command and event', async () => {
  const text = JSON.stringify(asyncApiDocument())
  const { document, diagnostics } = await new Parser().parse(text)
  const severities: number[] = diagnostics.map(one => one.severity)
  // 0 is an error, 1 and up are advice.
  expect(diagnostics.filter((_, at) => severities[at] === 0)).toEqual([])
  const names = document
    ?.messages()
    .all()
    .map(message => message.name())
  expect(names).toEqual(expect.arrayContaining([...Object.keys(up), ...Object.keys(down)]))
})
