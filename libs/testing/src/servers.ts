/**
 * The PostgreSQL that all test files of a run share. The process of the runner starts it when the first file asks, so a
 * run that needs none pays nothing. Files ask over HTTP on the loopback: they live in processes of their own.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type PostgresServer, startPostgres } from './postgres.ts'

/** The name under which the address reaches the test files. */
const addressVariable = 'FLOTILLA_TEST_SERVERS'

/**
 * Begins to answer the test files of this run. A second call in one run leaves it to the first.
 * @returns how to end it, with everything that was started
 */
export async function serveServers(env: NodeJS.ProcessEnv = process.env): Promise<() => Promise<void>> {
  if (env[addressVariable] !== undefined) return () => Promise.resolve()
  let postgres: Promise<PostgresServer> | undefined
  const http = createServer((_request, response) => {
    postgres ??= startPostgres()
    postgres.then(
      server => response.end(server.url),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    )
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  env[addressVariable] = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return async () => {
    delete env[addressVariable]
    http.closeAllConnections()
    http.close()
    const started = await postgres?.catch(() => undefined)
    await started?.drop()
  }
}

/** The URL of the run's PostgreSQL, as superuser: TEST_DATABASE_URL if it is set, else the shared embedded one. */
export async function sharedPostgres(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env['TEST_DATABASE_URL']
  if (given !== undefined && given !== '') return given
  const address = env[addressVariable]
  if (address === undefined)
    throw new Error(
      'unable to find the PostgreSQL of this test run: global-setup.ts is not in the configuration of vitest',
    )
  const response = await fetch(address)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}
