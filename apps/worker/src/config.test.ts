import { generateKeyPairSync } from 'node:crypto'
import { generateSecretKey, readSettings } from '@flotilla/service'
import { expect, test } from 'vitest'
import { workerSettings } from './config.ts'
import { openPushProviders } from './push-providers.ts'

const required = {
  DATABASE_URL: 'postgres://localhost/x',
  REDIS_URL: 'redis://localhost',
  MASTER_KEYS: generateSecretKey('m'),
}
const account = { project_id: 'p', client_email: 'a@b.c', private_key: 'KEY' }

test('what must be given is enough', () => {
  expect(readSettings(workerSettings, required)).toMatchObject({ PUSH_CONTENT: 'names', FCM_ACCOUNT: undefined })
})

test('the account of FCM is read, and no piece of a broken one is shown', () => {
  const read = (FCM_ACCOUNT: string) => readSettings(workerSettings, { ...required, FCM_ACCOUNT })
  expect(read(JSON.stringify(account)).FCM_ACCOUNT).toEqual({ projectId: 'p', clientEmail: 'a@b.c', privateKey: 'KEY' })
  expect(() => read('{"private_key": "hunter2')).toThrow(/FCM_ACCOUNT must be the JSON of a service account/)
  expect(() => read('{"private_key": "hunter2')).not.toThrow(/hunter2/)
  expect(() => read('{"private_key": "hunter2"}')).toThrow(/must hold project_id, client_email and private_key/)
})

test('push services are what is configured; keys of Web Push come together or not at all', async () => {
  const none = { publicKey: undefined, privateKey: undefined, subject: undefined }
  const limits = { sendMs: 1_000, ttlMs: 1_000, publicName: 'Harbour' }
  const open = (vapid: Parameters<typeof openPushProviders>[0]['vapid'], fcm = false) => {
    const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const given = fcm ? { projectId: 'p', clientEmail: 'a@b.c', privateKey: pem } : undefined
    return openPushProviders({ fcm: given, vapid, limits, clock: Date.now })
  }
  expect(await open(none)).toEqual([])
  const [provider] = await open(none, true)
  expect(provider?.name).toBe('fcm')
  await provider?.close()
  await expect(open({ ...none, publicKey: 'x' })).rejects.toThrow(/must be set together/)
})
