/**
 * Files in a folder, which several processes may share. The type of what is stored stands in the file's first line, so
 * that type and bytes come and go together.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkKey, type Storage } from './storage.ts'

/** Keys cannot begin with a dot, so nothing that is half written can be asked for. */
const partsFolder = '.parts'
/** Whoever wrote a part that is so old is gone. */
const partLifeMs = 3_600_000
const headBytesMax = 256

export async function openLocalStorage(folder: string): Promise<Storage> {
  const parts = join(folder, partsFolder)
  await mkdir(parts, { recursive: true })
  await sweep(parts)
  const pathOf = (key: string) => {
    checkKey(key)
    return join(folder, key)
  }

  return {
    async put(key, bytes, { contentType }) {
      const path = pathOf(key)
      const head = Buffer.from(`${contentType}\n`)
      if (head.length > headBytesMax || head.indexOf('\n') !== head.length - 1)
        throw new Error(`unable to store ${key}: its content type is none`)
      const part = join(parts, randomUUID())
      try {
        const file = await open(part, 'wx', 0o600)
        try {
          await file.writev([head, bytes])
          await file.sync()
        } finally {
          await file.close()
        }
        await mkdir(dirname(path), { recursive: true })
        await rename(part, path)
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
      await syncFolder(dirname(path))
    },

    async get(key) {
      const path = pathOf(key)
      const file = await open(path).catch(unlessMissing)
      if (file === undefined) return undefined
      try {
        const [{ size }, { buffer, bytesRead }] = await Promise.all([
          file.stat(),
          file.read(Buffer.alloc(headBytesMax), 0, headBytesMax, 0),
        ])
        const end = buffer.subarray(0, bytesRead).indexOf('\n')
        if (end < 0) throw new Error(`unable to read ${key}: it does not begin with its type`)
        const body = file.createReadStream({ start: end + 1 })
        return { body, bytes: size - end - 1, contentType: buffer.toString('utf8', 0, end) }
      } catch (error) {
        await file.close()
        throw error
      }
    },

    async remove(keys) {
      for (const path of keys.map(pathOf)) await rm(path, { force: true })
    },

    presignUpload(key) {
      checkKey(key)
      return Promise.resolve(undefined)
    },

    close() {},
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}

/** A new name is there after a crash only when its folder was written too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A folder on another machine is dated by that one's clock, so a new part says what time it is there. */
async function sweep(parts: string): Promise<void> {
  const newest = join(parts, randomUUID())
  await writeFile(newest, '')
  const now = (await stat(newest)).mtimeMs
  await rm(newest)
  for (const name of await readdir(parts)) {
    const path = join(parts, name)
    const found = await stat(path).catch(unlessMissing)
    if (found !== undefined && now - found.mtimeMs > partLifeMs) await rm(path, { force: true })
  }
}
