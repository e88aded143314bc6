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
  about: "Writes Grafana's dashboards into helm/flotilla/dashboards.",
  options: { check: { about: 'writes nothing, and fails when a file is not what its source says' } },
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
for (const { uid } of stale)
  console.log(check ? `${uid} is not what its source says: npm run dashboards` : `wrote ${uid}`)
if (check && stale.length > 0) process.exitCode = 1
