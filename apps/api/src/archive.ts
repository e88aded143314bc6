/**
 * Parts as one ZIP stream. Each is read when the one before is written and only as fast as the reader takes it, so that
 * memory stays flat. When the reader goes away, or a part fails, everything that is open is closed.
 */
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { lifecycle } from '@flotilla/chat'
import { ZipFile } from 'yazl'

/** A stored file, opened; undefined when it is gone. */
type Open = (key: string) => Promise<{ readonly body: Readable } | undefined>

const bufferBytes = 65_536

export function archiveOf(parts: AsyncIterable<lifecycle.ExportPart>, open: Open): Readable {
  const zip = new ZipFile()
  // yazl's types know less of it than it is.
  const archive = zip.outputStream as Readable
  let reading: Readable | undefined
  zip.on('error', (error: Error) => archive.destroy(error))
  archive.once('close', () => reading?.destroy())

  async function write() {
    for await (const part of parts) {
      if (archive.destroyed) return
      reading = await streamOf(part, open)
      // The reader may have gone while the file was opened.
      if (archive.destroyed) reading?.destroy()
      if (reading === undefined || reading.destroyed) continue
      zip.addReadStream(reading, part.path)
      await finished(reading, { writable: false })
    }
    zip.end()
  }
  write().catch((error: unknown) => archive.destroy(error instanceof Error ? error : undefined))
  return archive
}

async function streamOf(part: lifecycle.ExportPart, open: Open): Promise<Readable | undefined> {
  if ('file' in part) return (await open(part.file))?.body
  return Readable.from(part.text, { objectMode: false, highWaterMark: bufferBytes })
}
