/** What is in a ZIP archive. */
import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

interface Entry {
  readonly fileName: string
}
interface Zip {
  eachEntry(): AsyncIterable<Entry>
  openReadStreamPromise(entry: Entry): Promise<Readable>
}

/** The library comes without types. */
const { fromBufferPromise } = createRequire(import.meta.url)('yauzl') as {
  fromBufferPromise(archive: Buffer, options: { lazyEntries: true }): Promise<Zip>
}

/** The files by their paths, in their order. @throws Error when it is none, or broken */
export async function unzip(archive: Buffer): Promise<Map<string, Buffer>> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true })
  const files = new Map<string, Buffer>()
  for await (const entry of zip.eachEntry())
    files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)))
  return files
}
