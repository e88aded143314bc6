/** Routes are served as libs/protocol declares them. What a handler may not do does not compile, as the first test shows. */
import { rest } from '@flotilla/protocol/schemas'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import type { Api, RouteDeps } from '../app.ts'
import { answerError } from './refusals.ts'
import { answer, serve } from './serve.ts'

const { user } = { user: { id: 'x', username: 'ann', displayName: 'Ann', avatar: null } }

test('a handler that does not fit its route does not compile, nor does a feature that lacks one', () => {
  const wrong = (app: Api, deps: RouteDeps) => {
    const list = async () => ({ blocks: [] })
    const nothing = async () => {}
    serve(app, deps, rest.blocks, { listBlocks: list, block: nothing, unblock: nothing })
    // @ts-expect-error a route has no handler
    serve(app, deps, rest.blocks, { listBlocks: list, block: nothing })
    // @ts-expect-error there is no such route
    serve(app, deps, rest.blocks, { listBlocks: list, block: nothing, unblock: nothing, other: nothing })
    // @ts-expect-error a route that answers with nothing
    serve(app, deps, rest.search, { searchPeople: nothing })
    // @ts-expect-error a field of the answer is missing
    serve(app, deps, rest.search, { searchPeople: async () => ({ users: [{ id: 'x' }] }) })
    // @ts-expect-error the query has no such field
    serve(app, deps, rest.search, { searchPeople: async ({ query }) => ({ users: [{ ...user, id: query.name }] }) })
    // @ts-expect-error the path has no such parameter
    serve(app, deps, rest.blocks, { listBlocks: list, block: nothing, unblock: async ({ params }) => void params.id })
    // @ts-expect-error several statuses, and none is said
    serve(app, deps, rest.reports, { report: async () => ({ id: 'x' }) })
    // @ts-expect-error a status that is not declared
    serve(app, deps, rest.reports, { report: async () => answer(202, { id: 'x' }) })
    serve(app, deps, rest.reports, { report: async () => answer(201, { id: 'x' }) })
    // @ts-expect-error bytes are sent, and no JSON
    serve(app, deps, rest.dataExport, { exportData: async () => ({ name: 'Ann' }) })
  }
  expect(wrong).toBeTypeOf('function')
})

test('a route that asks for somebody is not served where nobody finds out who asks', () => {
  const nothing = async () => {}
  const handlers = { listBlocks: async () => ({ blocks: [] }), block: nothing, unblock: nothing }
  expect(() => serve(fastify(), {}, rest.blocks, handlers)).toThrow('unable to serve listBlocks')
})

test('a page has its usual length where none is asked for, and at most its greatest', async () => {
  const app = fastify()
  app.setErrorHandler(answerError)
  const asked: unknown[] = []
  const nothing = async () => {}
  const listBlocks = async ({ query }: { query: unknown }) => {
    asked.push(query)
    return { blocks: [] }
  }
  const deps = { authenticate: nothing, authenticateOperator: nothing }
  serve(app, deps, rest.blocks, { listBlocks, block: nothing, unblock: nothing })
  const statusOf = async (url: string) => (await app.inject({ url })).statusCode
  expect(await statusOf('/v1/blocks')).toBe(200)
  expect(await statusOf('/v1/blocks?limit=200')).toBe(200)
  expect(await statusOf('/v1/blocks?limit=201')).toBe(400)
  expect(asked).toEqual([{ limit: 100 }, { limit: 200 }])
})
