/** What a cluster and its pods have written. */
import { cpSync, existsSync, globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inProject } from '../root.ts'

/** What the containers of a pod wrote, on whatever node it was, each line without the runtime's own stamp. */
export function readPodLog(folder: string, namespace: string, pod: string, container = '*'): string {
  // A container that was started again has a file for each start: 0.log, 1.log …
  const files = globSync(join(folder, 'node-*', 'logs', `${namespace}_${pod}_*`, container, '*.log'))
  return files
    .sort()
    .map(file => readFileSync(file, 'utf8').replaceAll(/^\S+ (?:stdout|stderr) [FP] /gm, ''))
    .join('')
}

/** Keeps the logs of a cluster that failed where people and CI find them. @returns where */
export function keepLogs(folder: string, name = 'cluster'): string {
  const kept = inProject(join('.cache', 'fleet', name))
  rmSync(kept, { recursive: true, force: true })
  for (const path of globSync('{*/log,node-*/logs}', { cwd: folder }))
    if (existsSync(join(folder, path))) cpSync(join(folder, path), join(kept, path), { recursive: true })
  return kept
}
