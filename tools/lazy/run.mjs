/**
 * Runs a tool of this folder, from the project's root: node tools/lazy/run.mjs biome format . The tools are large, and
 * nothing that runs or is tested needs them: they are installed when one is first asked for, and again when the lock changes.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const here = import.meta.dirname
const mark = join(here, 'node_modules', '.lock-installed')
const read = path => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const lock = read(join(here, 'package-lock.json'))
if (read(mark) !== lock) {
  console.error('installing the tools of tools/lazy, once')
  const { status } = spawnSync('npm', ['ci', '--prefix', here, '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    console.error('unable to install the tools: npm ci failed in tools/lazy')
    process.exit(1)
  }
  writeFileSync(mark, lock)
}

const [tool = '', ...args] = process.argv.slice(2)
const bin = join(here, 'node_modules', '.bin')
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
const { status, error } = spawnSync(tool, args, { stdio: 'inherit', env })
if (error !== undefined) console.error(`unable to run ${tool}: ${error.message}`)
process.exit(status ?? 1)
