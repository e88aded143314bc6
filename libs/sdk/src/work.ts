/** The proof of work that a deployment may ask of whoever registers: a number that hashes to so many zero bits. */
import type { Work } from '@flotilla/protocol'
import { FlotillaError } from './flotilla-error.ts'

/** @returns a text of which SHA-256 of the challenge, a dot and the text begins with the bits */
export type SolveWork = (work: Work) => Promise<string>

/** A page is answered between two of these. */
const hashesAtOnce = 256

export const solveWork: SolveWork = async ({ challenge, bits }) => {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined
  if (subtle === undefined)
    throw new FlotillaError('check_required', 'unable to do the proof of work: without https there is no crypto.subtle')
  const encoder = new TextEncoder()
  for (let first = 0; ; first += hashesAtOnce) {
    const hashes = await Promise.all(
      Array.from({ length: hashesAtOnce }, (_, at) =>
        subtle.digest('SHA-256', encoder.encode(`${challenge}.${first + at}`)),
      ),
    )
    const found = hashes.findIndex(hash => zeroBits(new Uint8Array(hash)) >= bits)
    if (found >= 0) return String(first + found)
  }
}

function zeroBits(hash: Uint8Array): number {
  const at = hash.findIndex(byte => byte !== 0)
  return at < 0 ? hash.length * 8 : at * 8 + Math.clz32(hash[at]!) - 24
}
