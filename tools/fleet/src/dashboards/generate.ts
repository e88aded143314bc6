/**
 * Writes Grafana's dashboards: `npm run dashboards`. With `--check` it writes nothing and fails when a file on the disk
 * is not what these sources say.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readCommandLine } from '@flotilla/service'
import { inProject } from '../root.ts'
import { dashboards } from './index.ts'
import { render } from './grafana.ts'

const { flags } = readCommandLine({
  usage: 'npm run dashboards',
  about: 'Generates the Grafana dashboards into helm/flotilla/dashboards.',
  options: { check: { about: 'write nothing; fail when a file is out of date' } },
})
const check = flags.has('check')
const folder = inProject('helm/flotilla/dashboards')
mkdirSync(folder, { recursive: true })
const stale = dashboards.filter(idea => {
  const file = `${folder}/${idea.uid.replace('flotilla-', '')}.json`
  const text = `${JSON.stringify(render(idea), undefined, 2)}\n`
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false
  if (!check) writeFileSync(file, text)
  return true
})
for (const { uid } of stale) console.log(check ? `${uid} is out of date: run npm run dashboards` : `wrote ${uid}`)
if (check && stale.length > 0) process.exitCode = 1
