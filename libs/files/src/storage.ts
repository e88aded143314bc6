/**
 * Where bytes lie that are no rows: pictures, uploads on their way. `-local` keeps them in a folder, `-s3` in a bucket;
 * storage.test.ts runs on both.
 */
import type { Readable } from 'node:stream'

export interface StoredFile {
  /** Read it or destroy it: it holds a file or a connection open. */
  readonly body: Readable
  readonly bytes: number
  readonly contentType: string
}

/** What a client needs to send bytes straight to where they are kept. */
export interface PresignedUpload {
  readonly url: string
  readonly method: 'POST'
  /** Fields of a form, to be sent before the field `file`. */
  readonly fields: Readonly<Record<string, string>>
}

/**
 * A key is one to four names of `a-z 0-9 . _ -` with slashes between; any other throws, and touches nothing.
 * A store that is away is a Refusal `unavailable`.
 */
export interface Storage {
  /** All or nothing: a reader sees what was there before or all of this. It is there after a crash of the machine. */
  put(key: string, bytes: Uint8Array, options: { readonly contentType: string }): Promise<void>
  get(key: string): Promise<StoredFile | undefined>
  /** What is not there counts as removed, so that it can be repeated. */
  remove(keys: readonly string[]): Promise<void>
  /**
   * Lets somebody put one file of at most so many bytes, without credentials, for a time. The store keeps to the limits,
   * not the client.
   * @returns undefined where bytes can come only through us
   */
  presignUpload(
    key: string,
    limits: { readonly bytesMax: number; readonly contentType: string; readonly lifeMs: number },
  ): Promise<PresignedUpload | undefined>
  /** Lets go of connections. Nothing is asked for after it. */
  close(): void
}

const keyShape = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*){0,3}$/
const keyLengthMax = 200

/** @throws Error for whatever could mean another place than it seems */
export function checkKey(key: string): void {
  if (!keyShape.test(key) || key.includes('..') || key.length > keyLengthMax)
    throw new Error(
      `unable to use the key ${JSON.stringify(key.slice(0, keyLengthMax))}: it is no key of a stored file`,
    )
}

/**
 * All of a file in memory.
 * @param bytesMax of a larger one nothing is read
 * @returns undefined when it is larger
 */
export async function readAll(file: StoredFile, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = file.bytes
  // What the store says counts first, what really comes counts last.
  if (bytes <= bytesMax) {
    bytes = 0
    for await (const chunk of file.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesMax) break
      chunks.push(chunk)
    }
  }
  file.body.destroy()
  return bytes > bytesMax ? undefined : Buffer.concat(chunks)
}
