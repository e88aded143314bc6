/** Schemathesis, which asks an API for whatever its OpenAPI document allows and forbids: installed at need, and run. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const version = '4.32.5'
const root = fileURLToPath(new URL('../../../..', import.meta.url))
const folder = join(root, '.cache', `schemathesis-${version}`)
const program = join(folder, 'bin', 'schemathesis')

/** Puts schemathesis into a Python of its own, once. @throws Error that says what the machine lacks */
export function installSchemathesis(): void {
  if (existsSync(program)) return
  const steps = [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`],
  ]
  for (const [command = '', ...args] of steps) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 })
    if (status === 0) continue
    rmSync(folder, { recursive: true, force: true })
    const why = error?.message ?? `${stdout}${stderr}`.trim()
    throw new Error(
      `unable to install schemathesis: ${why}. It needs Python 3.10 or newer with venv (Debian: python3-venv) and PyPI.`,
    )
  }
}

export interface FuzzOptions {
  /** Of the API, without a path: `http://127.0.0.1:8080`. */
  readonly origin: string
  readonly seconds: number
  readonly seed: number
}

/** Calls the whole API for so long. Resolves to whether nothing was found; what was is on the standard output. */
export function fuzz({ origin, seconds, seed }: FuzzOptions): Promise<boolean> {
  // Not which methods a URL takes: `/v1/sessions/with-code` is also a `/v1/sessions/{id}`, and the check does not see it.
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_headers_conformance',
    'response_schema_conformance',
    'negative_data_rejection',
    'schema_is_as_strict_as_the_domain',
    'missing_required_header',
    'ignored_auth',
  ]
  const here = join(root, 'apps/api/src/fuzz')
  const args = [
    '--config-file',
    join(here, 'schemathesis.toml'),
    'run',
    `${origin}/v1/openapi.json`,
    '--url',
    origin,
    '--checks',
    checks.join(','),
    '--max-time',
    String(seconds),
    '--seed',
    String(seed),
    '--continue-on-failure',
    '--no-color',
    '--no-shrink',
    '--warnings',
    'off',
    '--generation-database',
    'none',
    '--suppress-health-check',
    'all',
    '--request-timeout',
    '30',
    // Python 3.11 fails now and then where two of its threads parse code at once.
    '--workers',
    '1',
  ]
  const env = { ...process.env, SCHEMATHESIS_HOOKS: join(here, 'hooks.py') }
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => resolve(code === 0))
  })
}
