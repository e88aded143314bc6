/** `npm run k8s:render`: writes the base and the patches of k8s/ as the chart renders them. Needs Helm. */
import { writeFileSync } from 'node:fs'
import { readCommandLine } from '@flotilla/service'
import { findTool } from './chart.ts'
import { makeFiles, staleFiles } from './k8s.ts'
import { inProject } from './root.ts'

readCommandLine({
  usage: 'npm run k8s:render',
  about: 'Renders the base and the patches of k8s/ from the chart. Needs Helm.',
})
const helm = findTool('helm')
if (helm === undefined) process.exit(1)
const files = await makeFiles(helm)
for (const path of await staleFiles(helm)) {
  writeFileSync(inProject(`k8s/${path}`), files[path] ?? '')
  console.log(`wrote k8s/${path}`)
}
