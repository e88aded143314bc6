import type { Turns } from '@flotilla/chat'
import { fastify } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import type { Api } from '../app.ts'
import { installTurns } from './turns.ts'

const app = fastify()
afterEach(() => app.close())

test('a signed-in person asks the store in turns; strangers, and what says that it does not, wait for nobody', async () => {
  const askers: (string | undefined)[] = []
  let open: (() => boolean | undefined) | undefined
  const turns: Pick<Turns, 'read'> = {
    read(who, work) {
      askers.push(who.user)
      open = () => who.open
      return work()
    },
  }
  app.decorateRequest('caller', null as never)
  app.addHook('onRequest', async request => {
    const user = request.headers['user']
    if (typeof user === 'string') request.caller = { user, session: 's' }
  })
  installTurns(app as unknown as Api, turns as Turns)
  app.get('/mine', async () => ({ open: open?.() }))
  app.get('/large', { config: { outOfTurn: true } }, async () => ({ large: true }))
  const ask = async (url: string, headers: Record<string, string>) => (await app.inject({ url, headers })).json()
  expect(await ask('/mine', { user: 'ann' })).toEqual({ open: true })
  // Nobody waits for the first one any more.
  expect(await ask('/mine', {})).toEqual({ open: false })
  expect(await ask('/large', { user: 'ann' })).toEqual({ large: true })
  expect(askers).toEqual(['ann'])
})
