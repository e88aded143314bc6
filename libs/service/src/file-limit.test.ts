import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkFileLimit, fileLimit, socketsMax } from './file-limit.ts'

test('the limit is the one that the process has been given', () => {
  const code = `import { fileLimit } from '${fileURLToPath(new URL('file-limit.ts', import.meta.url))}'; console.log(fileLimit())`
  const run = 'ulimit -n 321; exec "$0" --input-type=module-typescript -e "$1"'
  const { stdout } = spawnSync('/bin/sh', ['-c', run, process.execPath, code], { encoding: 'utf8' })
  expect(stdout.trim()).toBe('321')
  expect(fileLimit()).toBeGreaterThan(321)
})

test('files are left for what is not a socket from outside', () => {
  expect(socketsMax(10, 1, 1_000)).toBe(840)
  expect(socketsMax(10, 3, 1_000)).toBe(280)
  expect(socketsMax(10, 1, 100)).toBe(0)
  expect(socketsMax(10, 1, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
  expect(() => checkFileLimit('SOME_MAX', 840, 10, 1_000)).not.toThrow()
  expect(() => checkFileLimit('SOME_MAX', 841, 10, 1_000)).toThrow(
    /^unable to start: SOME_MAX is 841, but a file limit of 1000 allows at most 840/,
  )
})
