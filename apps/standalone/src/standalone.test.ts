import { silentLogger } from '@flotilla/service'
import { expect, test } from 'vitest'
import { apiSettingsFor, ownUrl } from './standalone.ts'

const settingsOf = (host: string, publicUrl?: string, allowedOrigins: readonly string[] = []) => {
  const options = { folder: 'none', host, port: 8080, logger: silentLogger, publicUrl, allowedOrigins }
  return apiSettingsFor(publicUrl ?? ownUrl(host, 8080), options)
}

test('it is reached by what it listens on', () => {
  expect(ownUrl('127.0.0.1', 8080)).toBe('http://localhost:8080')
  expect(ownUrl('0.0.0.0', 8080)).toBe('http://localhost:8080')
  expect(ownUrl('192.168.1.5', 8080)).toBe('http://192.168.1.5:8080')
  expect(ownUrl('fd00::5', 8080)).toBe('http://[fd00::5]:8080')
})

test('listening everywhere it hands out the name that a caller has used, unless it has been told its own', () => {
  const named = 'ws://localhost:8080/v1/socket'
  for (const host of ['0.0.0.0', '::']) expect(settingsOf(host).urlByHost).toBe(named)
  expect(settingsOf('0.0.0.0', 'https://chat.example').urlByHost).toBeUndefined()
  expect(settingsOf('192.168.1.5')).toMatchObject({
    urlByHost: undefined,
    gatewayUrls: [{ url: 'ws://192.168.1.5:8080/v1/socket' }],
  })
  expect(settingsOf('127.0.0.1').urlByHost).toBeUndefined()
})

test('pages of this machine may call it as long as only this machine gets here', () => {
  const local = expect.any(RegExp) as RegExp
  expect(settingsOf('127.0.0.1').allowedOrigins).toEqual([local])
  expect(settingsOf('127.0.0.1', undefined, ['https://a.example']).allowedOrigins).toEqual(['https://a.example', local])
  expect(settingsOf('127.0.0.1', undefined, ['*']).allowedOrigins).toEqual(['*'])
  expect(settingsOf('0.0.0.0').allowedOrigins).toEqual([])
  expect(settingsOf('127.0.0.1', 'https://tunnel.example').allowedOrigins).toEqual([])
})

test('passkeys are used on its own pages, and on those of its host that are named', () => {
  const allowed = ['http://localhost:5173', 'https://a.example', '*']
  expect(settingsOf('127.0.0.1', undefined, allowed).webauthn).toMatchObject({
    rpId: 'localhost',
    origins: ['http://localhost:8080', 'http://localhost:5173'],
  })
})
