import { generateSecretKey } from '@flotilla/service'
import { expect, test } from 'vitest'
import { readGatewaySettings } from './config.ts'

const required = {
  DATABASE_URL: 'postgres://db/flotilla',
  REDIS_URL: 'redis://redis',
  MASTER_KEYS: generateSecretKey('m'),
  TICKET_KEYS: generateSecretKey('t'),
}

test('a deletion cost needs to know whose it is', () => {
  const cost = { ...required, DELETION_COST: 'true' }
  expect(() => readGatewaySettings({ ...cost, POD_NAME: 'gateway-1' })).toThrow(
    'unable to start: DELETION_COST needs POD_NAME and POD_NAMESPACE',
  )
  expect(readGatewaySettings({ ...cost, POD_NAME: 'gateway-1', POD_NAMESPACE: 'chat' })).toMatchObject({
    POD_NAME: 'gateway-1',
    KUBERNETES_SERVICE_HOST: 'kubernetes.default.svc',
  })
  expect(readGatewaySettings(required)).toMatchObject({ DELETION_COST: false, MIGRATE: true })
})
