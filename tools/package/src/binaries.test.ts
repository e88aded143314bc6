/** Native programs that others repacked are those that were pinned. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const packed = 'node_modules/uWebSockets.js'
const mine = `dist/bin/uws_${process.platform}_${process.arch}_127.node`

function check(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/check-binaries.mjs'), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** A project with nothing but uWebSockets.js, as far as this machine uses it. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-binaries-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, packed, 'dist/bin'), { recursive: true })
  for (const file of ['package.json', mine]) cpSync(join(root, packed, file), join(folder, packed, file))
  return folder
}

test('what is installed here is what was pinned', () => {
  expect(check()).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining(' 0 faults') })
  expect(check('--root', project())).toMatchObject({ status: 0, stdout: '1 native programs were checked, 0 faults\n' })
})

test('a byte more, a program that is not pinned, another version, and nothing at all are faults', () => {
  const changed = project()
  appendFileSync(join(changed, packed, mine), '\0')
  expect(check('--root', changed)).toMatchObject({ status: 1, stderr: expect.stringContaining('another file') })

  const more = project()
  writeFileSync(join(more, packed, 'dist/bin/more.node'), '')
  expect(check('--root', more)).toMatchObject({ status: 1, stderr: expect.stringContaining('not pinned') })

  const other = project()
  writeFileSync(join(other, packed, 'package.json'), '{"name":"uws-pack","version":"20.0.9"}')
  expect(check('--root', other)).toMatchObject({ status: 1, stderr: expect.stringContaining('uws-pack 20.0.9') })

  const empty = project()
  rmSync(join(empty, packed), { recursive: true })
  expect(check('--root', empty).status).toBe(1)
})

test('the pins are held against a release of upstream', () => {
  const upstream = join(project(), packed, 'dist/bin')
  const { status, stderr } = check('--upstream', upstream)
  expect(status).toBe(1)
  // Only this machine's file is there, and it is the same.
  expect(stderr).not.toContain(`${mine.split('/').at(-1)} is`)
  expect(stderr).toContain('uws_win32_x64_127.node is not there')
})
