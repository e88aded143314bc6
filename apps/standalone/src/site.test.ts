import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, brotliDecompressSync } from 'node:zlib'
import { dropFolder, makeFolder } from '@flotilla/testing'
import { expect, onTestFinished, test } from 'vitest'
import { readSite, sitePolicy } from './site.ts'

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = makeFolder('site')
  onTestFinished(() => dropFolder(folder))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

test('each address of the client is the page with its policy, and a file with a hash in its name is kept for ever', async () => {
  const script = 'console.log(1)'.repeat(100)
  const page = { 'index.html': '<!doctype html>', 'policy.txt': "# why\ndefault-src 'self'\nconnect-src {sockets}\n" }
  const folder = folderOf({ ...page, 'assets/index-abc.js': script, 'assets/a.png': 'picture' })
  const site = await readSite(folder, 'ws://localhost:8080/v1/socket')
  expect(site.has('/index.html')).toBe(false)
  for (const path of ['/', '/signin', '/c/*', '/contacts', '/join', '/settings', '/settings/*'])
    expect(site.get(path)).toMatchObject({
      type: 'text/html; charset=utf-8',
      isHashed: false,
      policy: "default-src 'self'; connect-src ws://localhost:8080",
    })
  const file = site.get('/assets/index-abc.js')
  expect(file).toMatchObject({ type: 'text/javascript; charset=utf-8', isHashed: true })
  const packed = new Map(file?.packed)
  expect(String(brotliDecompressSync(packed.get('br')!))).toBe(script)
  expect(String(gunzipSync(packed.get('gzip')!))).toBe(script)
  expect(site.get('/assets/a.png')?.packed).toEqual([])
  await expect(readSite(folderOf({ 'a.js': '' }), 'ws://localhost/')).rejects.toThrow('there is no index.html')
  await expect(readSite(folderOf({ 'index.html': '' }), 'ws://localhost/')).rejects.toThrow('there is no policy.txt')
})

test('the policy lets in what comes from here, and the socket, wherever it is', () => {
  const directives = readFileSync(new URL('../../web/public/policy.txt', import.meta.url), 'utf8')
  const policy = sitePolicy(directives, 'wss://chat.example/v1/socket')
  expect(policy).toContain("default-src 'self'; connect-src 'self' wss://chat.example;")
  expect(policy).toContain("require-trusted-types-for 'script'; trusted-types flotilla-worker")
  expect(policy).toContain("manifest-src 'self'; worker-src 'self'; object-src 'none'")
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
})
