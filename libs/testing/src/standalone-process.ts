/** All of Flotilla as `npm start` runs it, a process on a database of its own. */
import { join } from 'node:path'
import { testDatabase } from './databases.ts'
import { projectRoot } from './fleet.ts'
import { freePort, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'

/** The first start builds the web client. */
const readyWithinMs = 180_000
const stopWithinMs = 15_000

export interface StandaloneProcess {
  readonly url: string
  stop(): Promise<void>
}

/** @param settings beyond those that it needs */
export async function startStandaloneProcess(
  settings: Readonly<Record<string, string>> = {},
): Promise<StandaloneProcess> {
  const [database, port] = await Promise.all([testDatabase(), freePort()])
  const folder = makeFolder('standalone')
  const url = `http://localhost:${port}`
  const server = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', join(projectRoot(), 'apps/standalone/src/main.ts')],
    folder,
    env: {
      DATABASE_URL: database.url,
      FLOTILLA_FOLDER: folder,
      PORT: String(port),
      // On a machine that stands still now and then, nobody is to be told to come back later.
      EVENT_LOOP_DELAY_MS_MAX: '60000',
      ...settings,
    },
    ready: async () => (await fetch(`${url}/readyz`)).ok,
    readyWithinMs,
  })
  return {
    url,
    async stop() {
      await server.end('SIGTERM', stopWithinMs)
      await database.drop()
      dropFolder(folder)
    },
  }
}
