import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import type { RouteDeps } from './app.ts'
import { createPictures } from './pictures.ts'

test('who has gone away while they were looked at takes no seat from the others', async () => {
  const passing = Promise.withResolvers<void>()
  const answers = [passing.promise, Promise.resolve()].values()
  const pictures = createPictures({
    settings: { picturesAtOnceMax: 1, picturesQueueMax: 0, pictures: { max: 9, windowMs: 1_000 } },
    async counter() {
      await answers.next().value
      return { count: 1, resetMs: 1_000 }
    },
  } as unknown as RouteDeps)
  const outcomes: unknown[] = []
  const server = createServer((request, response) => {
    response.once('close', passing.resolve)
    const caller = { caller: { user: 'ann' }, raw: request } as unknown as FastifyRequest
    pictures.admit(caller, { raw: response } as FastifyReply).then(
      () => outcomes.push('admitted') && response.end(),
      (error: { code: string }) => outcomes.push(error.code) && response.end(),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const gone = connect(port, '127.0.0.1')
    gone.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n')
    await once(server, 'request')
    gone.destroy()
    await passing.promise
    await fetch(`http://127.0.0.1:${port}`)
    expect(outcomes).toEqual(['overloaded', 'admitted'])
  } finally {
    server.close()
  }
})
