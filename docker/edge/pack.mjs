/**
 * Puts a packed file beside each file of the page, so that nginx has none to pack: node pack.mjs FOLDER
 * What is packed already, as pictures are, gains nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const [folder] = process.argv.slice(2)
const brotli = bytes =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
const gzip = bytes => gzipSync(bytes, { level: 9 })

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || /\.(br|gz|png|ico|woff2)$/.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const bytes = readFileSync(path)
  for (const [ending, packed] of [
    ['br', brotli(bytes)],
    ['gz', gzip(bytes)],
  ])
    if (packed.length < bytes.length) writeFileSync(`${path}.${ending}`, packed)
}
