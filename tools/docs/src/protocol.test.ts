import { closeCodes, errors, limits } from '@flotilla/protocol'
import { down, up } from '@flotilla/protocol/schemas'
import { expect, test } from 'vitest'
import { protocolDoc } from './protocol.ts'

test('the page names every command, event, error, close code and limit', () => {
  const page = protocolDoc(new Map([['frameBytesMax', 'A frame.']]))
  for (const name of [...Object.keys(up), ...Object.keys(down)]) expect(page).toContain(`### ${name}\n`)
  for (const name of [...Object.keys(errors), ...Object.keys(closeCodes), ...Object.keys(limits)])
    expect(page).toContain(`\`${name}\` |`)
  expect(page).toContain('| `frameBytesMax` | 32,768 | A frame. |')
})
