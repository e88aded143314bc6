/** firebase-admin is an optional dependency. */
import { expect, test, vi } from 'vitest'
import { createFcm } from './push-fcm.ts'

vi.mock('firebase-admin/app', () => {
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
})

test('where FCM is wanted and the library is lacking, it is said what to install', async () => {
  const limits = { sendMs: 1_000 } as never
  await expect(createFcm({ serviceAccount: {}, limits, clock: () => 0 })).rejects.toThrow(
    /unable to push through FCM: firebase-admin cannot be loaded. Run npm install firebase-admin/,
  )
})
