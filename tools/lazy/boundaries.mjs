/**
 * Holds the sources to .dependency-cruiser.mjs, the rules to their cases, and the map in docs/architecture.md to the sources:
 * `npm run boundaries`. With `--write` it draws the map instead.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import rules, { ladder } from '../../.dependency-cruiser.mjs'
import { allowed, forbidden } from './boundaries-cases.mjs'

const root = join(import.meta.dirname, '..', '..')
const mapFile = 'docs/architecture.md'
const { options, ...ruleSet } = rules

async function look(baseDir, paths) {
  const { output } = await cruise(
    paths,
    { ...options, baseDir, ruleSet, validate: true },
    options.enhancedResolveOptions,
  )
  return output
}

const workspaces = () =>
  ['libs', 'apps', 'examples']
    .flatMap(kind => readdirSync(join(root, kind)).map(name => `${kind}/${name}`))
    .filter(isPackage)
function isPackage(folder) {
  try {
    return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).name !== undefined
  } catch {
    return false
  }
}

/** A project of empty packages, for one file at a time. */
function makeProject() {
  const project = mkdtempSync(join(tmpdir(), 'boundaries-'))
  mkdirSync(join(project, 'node_modules', '@flotilla'), { recursive: true })
  for (const folder of workspaces()) {
    const manifest = readFileSync(join(root, folder, 'package.json'), 'utf8')
    write(join(project, folder, 'package.json'), manifest)
    for (const { source } of Object.values(JSON.parse(manifest).exports ?? {})) write(join(project, folder, source), '')
    symlinkSync(join(project, folder), join(project, 'node_modules', JSON.parse(manifest).name), 'dir')
  }
  return project
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** The names of the rules that one file breaks, in the project that it is put into. */
async function broken(path, text, others = []) {
  const project = makeProject()
  try {
    for (const other of others) write(join(project, other), '')
    write(join(project, path), text)
    const { summary } = await look(project, [path])
    return [...new Set(summary.violations.filter(({ from }) => from === path).map(one => one.rule.name))]
  } finally {
    rmSync(project, { recursive: true })
  }
}

async function checkCases() {
  const faults = []
  for (const [name, path, text, others] of forbidden) {
    const found = await broken(path, text, others)
    if (!found.includes(name)) faults.push(`'${name}' lets ${path} pass: ${text}`)
  }
  for (const [path, text, others] of allowed) {
    const found = await broken(path, text, others)
    if (found.length > 0) faults.push(`'${found.join("', '")}' forbids what is allowed to ${path}: ${text}`)
  }
  return faults
}

/** A rung names only those before it, and every package has one. */
function checkLadder() {
  const folders = Object.keys(ladder)
  return [
    ...folders.flatMap((folder, at) =>
      ladder[folder]
        .filter(below => !folders.slice(0, at).includes(below))
        .map(below => `the ladder lets ${folder} import ${below}, which does not stand below it`),
    ),
    ...workspaces()
      .filter(folder => !folders.includes(folder))
      .map(folder => `${folder} has no place in the ladder`),
  ]
}

const packageOf = path => /^(apps|libs)\/[^/]+/.exec(path)?.[0]
const isTest = path => /\.(test|testbed)\.ts$/.test(path)

const nodeOf = folder => `${folder.replace('/', '_')}["${folder}"]`

/** Mermaid of what the packages import. An arrow that follows from two others is left out. */
function draw(modules) {
  const below = new Map()
  for (const { source, dependencies } of modules.filter(({ source: path }) => !isTest(path) && packageOf(path)))
    for (const { resolved } of dependencies) {
      const [from, to] = [packageOf(source), packageOf(resolved)]
      if (to !== undefined && from !== to) below.set(from, (below.get(from) ?? new Set()).add(to))
    }
  const reaches = (from, to) => [...(below.get(from) ?? [])].some(next => next === to || reaches(next, to))
  const arrows = [...below].flatMap(([from, targets]) =>
    [...targets]
      .filter(to => ![...targets].some(other => other !== to && reaches(other, to)))
      .map(to => `  ${nodeOf(from)} --> ${nodeOf(to)}`),
  )
  return ['```mermaid', 'graph TD', ...arrows.sort(), '```', ''].join('\n')
}

const { modules, summary } = await look(root, ['apps', 'examples', 'libs', 'tools'])
const page = readFileSync(join(root, mapFile), 'utf8')
const drawn = page.replace(/(<!-- map -->\n)[^]*?(<!-- \/map -->)/, (_, begin, end) => begin + draw(modules) + end)
if (process.argv[2] === '--write') writeFileSync(join(root, mapFile), drawn)
else {
  const faults = [
    ...summary.violations.map(({ from, to, rule, cycle }) => {
      const way = cycle === undefined ? to : cycle.map(one => one.name).join(', ')
      return `${from}: ${rule.name}, but it imports ${way}`
    }),
    ...checkLadder(),
    ...(await checkCases()),
    ...(drawn === page ? [] : [`${mapFile}: the map is not what the sources say: run npm run docs`]),
  ]
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length === 0 ? 0 : 1
}
