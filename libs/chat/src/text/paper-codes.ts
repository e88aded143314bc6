/**
 * Codes that people keep on paper, or hand to each other. Each holds 80 random bits, so that a plain hash of it cannot be
 * guessed back.
 */
import { createHash, randomBytes } from 'node:crypto'
import { plainCode } from './typed.ts'

const codeBytes = 10
const groupLength = 4
/** Crockford's base 32: without letters that are taken for digits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

const encode = (bytes: Buffer): string =>
  Array.from({ length: (bytes.length * 8) / 5 }, (_, at) => {
    const bit = at * 5
    const pair = (bytes[bit >> 3]! << 8) | (bytes[(bit >> 3) + 1] ?? 0)
    return alphabet[(pair >> (11 - (bit & 7))) & 31]
  }).join('')

/** In groups, as it is shown. */
export const makePaperCode = (): string =>
  encode(randomBytes(codeBytes))
    .match(new RegExp(`.{${groupLength}}`, 'g'))!
    .join('-')

/** However it was typed: groups, case, and the letters that look like digits make no difference. */
export function paperCodeHash(typed: string): Buffer {
  const code = plainCode(typed).toLowerCase().replace(/o/g, '0').replace(/[il]/g, '1')
  return createHash('sha256').update(code).digest()
}
