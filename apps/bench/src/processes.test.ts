import { spawn } from 'node:child_process'
import { until } from '@flotilla/testing'
import { expect, test } from 'vitest'
import { cpuSeconds, cpuSecondsOfTree, memoryBytes } from './processes.ts'

test('CPU time is counted for the process, and for a tree with the children that have ended', async () => {
  const work = 'for (const end = process.cpuUsage().user + 150_000; process.cpuUsage().user < end; );'
  const parent = `
    const { spawnSync } = require('node:child_process')
    spawnSync(process.execPath, ['-e', ${JSON.stringify(work)}])
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['-e', parent], { stdio: 'ignore' })
  try {
    await until(() => cpuSecondsOfTree(child.pid!) - cpuSeconds(child.pid!) >= 0.15, {
      what: 'the grandchild has ended',
    })
    expect(cpuSeconds(child.pid!)).toBeGreaterThan(0)
    expect(memoryBytes(child.pid!)).toBeGreaterThan(1_000_000)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a process that is gone is an error, not zero', () => {
  expect(() => cpuSeconds(2 ** 22 + 1)).toThrow('it has ended')
})
