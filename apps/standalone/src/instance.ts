/**
 * One process per folder. The lock is a Unix socket on which the owner listens, so that the system itself tells whether
 * he is still alive: a process number in a file may belong to somebody else by now. Whoever asks there is told who it is.
 */
import { lstatSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, relative } from 'node:path'
import { ownerOf } from '@flotilla/service'

/** Who has a folder, as told to the next who wants it. */
export interface Holder {
  readonly pid: number
  /** Where people reach it; unknown while it starts. */
  url?: string
}

/** What the system takes as the path of a Unix socket: 108 bytes on Linux, 104 on macOS, with the end mark. */
const pathBytesMax = 103
/** A holder that is stopped or stuck says nothing; it holds the folder all the same. */
const answerMsMax = 1_000

/**
 * Takes the folder.
 * @param self what others are told; looked at when they ask
 * @returns how to give it back
 * @throws Error when another process has it
 */
export async function takeFolder(folder: string, self: Holder): Promise<() => Promise<void>> {
  const path = socketPath(join(folder, 'lock'))
  const holder = await askHolder(path)
  if (holder !== undefined) throw taken(folder, holder)
  // Left by a process that did not come to its end.
  removeSocket(path)
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end(JSON.stringify(self))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? taken(folder, {})
          : new Error(`unable to use ${folder}: ${error.message}`, { cause: error }),
      ),
    )
    server.listen(path, resolve)
  })
  return () => new Promise(resolve => server.close(() => resolve()))
}

function taken(folder: string, { pid, url }: Partial<Holder>): Error {
  const who = `another Flotilla is running on it${pid === undefined ? '' : `: process ${pid}`}${url === undefined ? '' : `, ${url}`}`
  const stop = pid === undefined ? 'Stop that one' : `Stop that one (kill ${pid})`
  return new Error(
    `unable to use ${folder}: ${who}. ${stop}, or use another folder and port for this one: FLOTILLA_FOLDER=.flotilla-2 PORT=8090 npm start`,
  )
}

function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`unable to use ${path}: it is not a Flotilla lock. Move it away`)
  rmSync(path, { force: true })
}

function socketPath(path: string): string {
  const shown = relative(process.cwd(), path)
  const shorter = shown.length < path.length ? shown : path
  if (Buffer.byteLength(shorter) > pathBytesMax)
    throw new Error(`unable to use ${path}: the path is longer than ${pathBytesMax} bytes`)
  return shorter
}

/** @returns undefined when nobody has it; a holder of an older version tells nothing of itself */
function askHolder(path: string): Promise<Partial<Holder> | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let isHeld = false
    let told = ''
    const answer = () => {
      socket.destroy()
      resolve(isHeld ? read(told) : undefined)
    }
    socket.setTimeout(answerMsMax, answer)
    socket.once('connect', () => (isHeld = true))
    socket.on('data', chunk => (told += String(chunk)))
    socket.once('close', answer)
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EACCES'
        ? reject(new Error(`unable to use ${path}: it belongs to ${ownerOf(path)}, whose Flotilla may be running`))
        : answer(),
    )
  })
}

function read(told: string): Partial<Holder> {
  try {
    const { pid, url } = JSON.parse(told) as Record<string, unknown>
    return { ...(typeof pid === 'number' ? { pid } : {}), ...(typeof url === 'string' ? { url } : {}) }
  } catch {
    return {}
  }
}
