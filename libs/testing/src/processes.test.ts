import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'
import { until } from './until.ts'

const folder = makeFolder('processes')
afterAll(() => dropFolder(folder))
const shell = (script: string) => ({ command: '/bin/sh', args: ['-c', script], folder })

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('it is ready when it says so, and tells its end', async () => {
  const child = await startProcess({
    ...shell('touch ready; exec sleep 60'),
    ready: async () => existsSync(`${folder}/ready`),
  })
  expect(child.running()).toBe(true)
  await child.end('SIGTERM')
  expect(await child.exited).toBe('SIGTERM')
  expect(child.running()).toBe(false)
})

test('an end that is not heeded becomes a SIGKILL', async () => {
  const child = await startProcess({
    ...shell('trap "" TERM; touch deaf; while true; do sleep 0.05; done'),
    ready: async () => existsSync(`${folder}/deaf`),
  })
  await child.end('SIGTERM', 50)
  expect(await child.exited).toBe('SIGKILL')
})

test('what it had started itself goes with it', async () => {
  const child = await startProcess({
    ...shell('sleep 60 & echo $! > grandchild; wait'),
    ready: async () =>
      existsSync(`${folder}/grandchild`) && readFileSync(`${folder}/grandchild`, 'utf8').endsWith('\n'),
  })
  const grandchild = Number(readFileSync(`${folder}/grandchild`, 'utf8'))
  expect(lives(grandchild)).toBe(true)
  await child.end('SIGKILL')
  await until(() => !lives(grandchild), { what: 'the grandchild is gone' })
})

test('one that dies at once, does not exist or is never ready is a clear error with its last words', async () => {
  const never = async () => false
  await expect(startProcess({ ...shell('echo last words; exit 3'), ready: never })).rejects.toThrow(
    /ended with 3[^]*last words/,
  )
  await expect(startProcess({ ...shell(''), command: '/nowhere/server', ready: never })).rejects.toThrow('ENOENT')
  await expect(startProcess({ ...shell('echo $$ > pid; sleep 60'), ready: never, readyWithinMs: 50 })).rejects.toThrow(
    'not within 50 ms',
  )
})

/** A process of its own that starts a stopped and a stubborn child, which starts another, and tells their pids and folder. */
const parent = `
  import { existsSync, readFileSync } from 'node:fs'
  const { startProcess } = await import(process.argv[1])
  const { makeFolder } = await import(process.argv[2])
  const folder = makeFolder('orphan')
  const start = (script, ready = async () => true) => startProcess({ command: '/bin/sh', args: ['-c', script], folder, ready })
  const stopped = await start('exec sleep 60')
  stopped.signal('SIGSTOP')
  const stubborn = await start(
    'trap "" INT; sleep 60 & echo $! > young; mv young grandchild; while true; do sleep 0.05; done',
    async () => existsSync(folder + '/grandchild'),
  )
  const grandchild = Number(readFileSync(folder + '/grandchild', 'utf8'))
  console.log(JSON.stringify({ pids: [stopped.pid, stubborn.pid, grandchild], folder }))
  setInterval(() => {}, 1000)
`

test.each(['SIGKILL', 'SIGINT'] as const)('nothing outlives the process that started it, ended by %s', async signal => {
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', parent, file('processes.ts'), file('reaper.ts')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  const { pids, folder } = JSON.parse(line.toString()) as { pids: number[]; folder: string }
  expect(pids.every(lives)).toBe(true)
  expect(existsSync(folder)).toBe(true)
  child.kill(signal)
  await until(() => !pids.some(lives) && !existsSync(folder), { what: 'everything is gone' })
})
