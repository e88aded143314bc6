/**
 * One process per folder. The lock is a Unix socket on which the owner listens, so that the system itself tells whether
 * he is still alive: a process number in a file may belong to somebody else by now.
 */
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, relative } from 'node:path'

/** What the system takes as the path of a Unix socket: 108 bytes on Linux, 104 on macOS, with the end mark. */
const pathBytesMax = 103

/**
 * Takes the folder.
 * @returns how to give it back
 * @throws Error when another process has it
 */
export async function takeFolder(folder: string): Promise<() => Promise<void>> {
  const path = socketPath(join(folder, 'lock'))
  if (await isAnswered(path)) throw taken(folder)
  // Left by a process that did not come to its end.
  rmSync(path, { force: true })
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? taken(folder)
          : new Error(`unable to use ${folder}: ${error.message}`, { cause: error }),
      ),
    )
    server.listen(path, resolve)
  })
  return () => new Promise(resolve => server.close(() => resolve()))
}

const taken = (folder: string) =>
  new Error(
    `unable to use ${folder}: another Flotilla is running on it. Stop that one, or give this one another folder and another port: FLOTILLA_FOLDER=.flotilla-2 PORT=8090 npm start`,
  )

function socketPath(path: string): string {
  const shown = relative(process.cwd(), path)
  const shorter = shown.length < path.length ? shown : path
  if (Buffer.byteLength(shorter) > pathBytesMax)
    throw new Error(`unable to use ${path}: the path is longer than ${pathBytesMax} bytes`)
  return shorter
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    const answer = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
