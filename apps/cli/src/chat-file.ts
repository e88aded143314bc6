/**
 * All that the terminal client keeps of one person: a made-up password, the session, cursors and unsent messages, in
 * one file that is replaced whole at each change. For trying things out; an application keeps no passwords.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionStore, Store, StoredCursor, StoredSend, StoredSession } from '@flotilla/sdk'
import { openFolder, unusable } from '@flotilla/service'

interface Content {
  password: string
  session?: StoredSession | undefined
  user?: string | undefined
  cursors: Record<string, StoredCursor>
  sends: StoredSend[]
}

export interface ChatFile {
  readonly path: string
  readonly password: string
  readonly sessions: SessionStore
  readonly store: Store
  /** Forgets everything but the password: the server does not know this person. */
  startAfresh(): Promise<void>
  close(): void
}

/** @throws Error when another terminal has this person open */
export function openChatFile(folder: string, name: string): ChatFile {
  openFolder(folder)
  const path = join(folder, `chat-${name}.json`)
  const release = lock(`${path}.lock`, name)
  const content = read(path)
  let last: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  /** Changes that come while a write is under way go into one write after it. */
  const save = (): Promise<void> => {
    next ??= last
      .catch(() => {})
      .then(() => {
        next = undefined
        last = replace(path, JSON.stringify(content))
        return last
      })
    return next
  }
  return {
    path,
    get password() {
      return content.password
    },
    sessions: {
      load: async () => content.session,
      save(session) {
        content.session = session
        return save()
      },
    },
    store: {
      async load() {
        const { user, cursors, sends } = content
        return { ...(user === undefined ? {} : { user }), cursors: Object.values(cursors), sends }
      },
      setUser(user) {
        content.user = user
        return save()
      },
      writeCursors(put, drop) {
        for (const cursor of put) content.cursors[cursor.conversation] = cursor
        for (const conversation of drop) delete content.cursors[conversation]
        return save()
      },
      addSend(send) {
        content.sends.push(send)
        return save()
      },
      removeSend(clientId) {
        content.sends = content.sends.filter(send => send.clientId !== clientId)
        return save()
      },
    },
    startAfresh() {
      Object.assign(content, { session: undefined, user: undefined, cursors: {}, sends: [] })
      return save()
    },
    close: release,
  }
}

function read(path: string): Content {
  const fresh: Content = { password: randomBytes(18).toString('base64url'), cursors: {}, sends: [] }
  try {
    return { ...fresh, ...(JSON.parse(readFileSync(path, 'utf8')) as Partial<Content>) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return fresh
    if (code !== undefined) throw unusable(path, error)
    throw new Error(`unable to read ${path}: ${String(error)}; delete it to start afresh`, { cause: error })
  }
}

/** The new content is on the disk before it takes the place of the old one. */
async function replace(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** One terminal a person: two would overwrite each other's cursors. A lock of a process that is gone does not count. */
function lock(path: string, name: string): () => void {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const file = openSync(path, 'wx', 0o600)
      writeSync(file, String(process.pid))
      closeSync(file)
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (isRunning(Number(readFileSync(path, 'utf8')))) break
      rmSync(path, { force: true })
    }
  }
  throw new Error(`unable to chat as ${name}: another terminal does already`)
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
