import { closeCodes, errors, limits } from '@flotilla/protocol'
import { down, up } from '@flotilla/protocol/schemas'
import { expect, test } from 'vitest'
import { protocolPaper } from './protocol-paper.ts'

test('the paper names every command, event, error, close code and limit', () => {
  const paper = protocolPaper(new Map([['frameBytesMax', 'A frame.']]))
  for (const name of [...Object.keys(up), ...Object.keys(down)]) expect(paper).toContain(`### ${name}\n`)
  for (const name of [...Object.keys(errors), ...Object.keys(closeCodes), ...Object.keys(limits)])
    expect(paper).toContain(`\`${name}\` |`)
  expect(paper).toContain('| `frameBytesMax` | 32,768 | A frame. |')
})
