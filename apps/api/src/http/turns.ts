/**
 * Requests of one person wait for each other, as far as they ask the store: however many come at once, the others find the
 * pool free. What a route answers with is sent after its turn.
 */
import type { Turns } from '@flotilla/chat'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from '../app.ts'
import type { Caller } from '../sign-in/tokens.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set where the work is not the person's own query: it is gathered with that of others, or lasts as long as a download. */
    readonly outOfTurn?: true
  }
}

/** Holds for the routes that are added after it. */
export function installTurns(app: Api, turns: Turns): void {
  app.addHook('onRoute', route => {
    const { handler, config } = route
    if (config?.outOfTurn === true) return
    route.handler = function (request: FastifyRequest, reply: FastifyReply) {
      const work = async () => handler.call(this, request, reply)
      const caller = request.caller as Caller | null
      if (caller === null) return work()
      const asker = {
        user: caller.user,
        get open() {
          return !reply.raw.destroyed
        },
      }
      return turns.read(asker, work)
    }
  })
}
