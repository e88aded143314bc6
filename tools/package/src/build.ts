/**
 * Builds what `npm pack` puts into the package in whose folder it runs: the compiled modules with their types and maps,
 * and both once more for CommonJS, in one file a door. It is the `prepack` of every library that is published.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Each of our packages stays a package of its own; of the others, CommonJS would not find those that are only ESM. */
const ours = /^@flotilla\//
/** There must be one of it in an application. */
const react = /^react(\/|$)/

/** From scratch: a module that was deleted must not be in the package for ever. */
function compile(): void {
  rmSync('dist', { recursive: true, force: true })
  // As npm runs it: its own version of tsc is first in the path.
  const { status, error } = spawnSync('tsc', ['-b', '--force'], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`unable to compile ${process.cwd()}`, { cause: error })
}

/** The ways in, as package.json names them: `index`, and whatever stands beside it. */
function doors(): string[] {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> }
  return Object.keys(exports).map(door => (door === '.' ? 'index' : door.replace('./', '')))
}

async function bundleCode(door: string): Promise<void> {
  const bundle = await rolldown({ input: `src/${door}.ts`, external: [ours, react], platform: 'neutral' })
  await bundle.write({ file: `dist/${door}.cjs`, format: 'cjs', sourcemap: true })
}

async function bundleTypes(door: string): Promise<void> {
  const input = { [door]: `dist/${door}.d.ts` }
  const external = [ours, react, 'typebox']
  const bundle = await rolldown({ input, external, plugins: [dts({ dtsOnly: true })] })
  await bundle.write({ dir: 'dist', format: 'es', entryFileNames: '[name].d.cts' })
  const types = readFileSync(`dist/${door}.d.cts`, 'utf8')
  writeFileSync(`dist/${door}.d.cts`, importAsModule(types, 'typebox'))
}

/** CommonJS may take types from a package that is only ESM, but has to say so at each import. */
function importAsModule(types: string, name: string): string {
  const from = `from "${name}" with { "resolution-mode": "import" };`
  const named = types.replace(new RegExp(`^import (?:type )?(\\{.+\\}) from "${name}";`, 'm'), `import type $1 ${from}`)
  const inline = `import("${name}").`
  return named.includes(inline) ? `import type * as ${name} ${from}\n${named.replaceAll(inline, `${name}.`)}` : named
}

compile()
for (const door of doors()) {
  await bundleCode(door)
  await bundleTypes(door)
}
copyFileSync(`${root}/LICENSE`, 'LICENSE')
