/** `npm run chart:docs`: writes the table of the chart's README, and the settings into its schema. */
import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readCommandLine } from '@flotilla/service'
import { readChartValues, withSettings, withTable } from './chart-docs.ts'
import { inProject } from './root.ts'

readCommandLine({
  usage: 'npm run chart:docs',
  about: "Generates the values table of the chart's README, and the settings in its schema.",
})
const read = (path: string) => readFileSync(inProject(path), 'utf8')

const values = readChartValues(read('helm/flotilla/values.yaml'))
const made = {
  'helm/flotilla/README.md': withTable(read('helm/flotilla/README.md'), values),
  'helm/flotilla/values.schema.json': withSettings(
    read('helm/flotilla/values.schema.json'),
    read('docs/configuration.md'),
  ),
}
for (const [path, text] of Object.entries(made)) {
  // Of the schema the content counts: its lines are broken by `npm run format`.
  const isSame = path.endsWith('.json')
    ? isDeepStrictEqual(JSON.parse(text), JSON.parse(read(path)))
    : text === read(path)
  if (isSame) continue
  writeFileSync(inProject(path), text)
  console.log(`wrote ${path}`)
}
