/** How the API counts: by whom, and with what it counts together with the other nodes (libs/routing). */
import { createHash } from 'node:crypto'
import { callerNetworkOf } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'

import type { Limit } from '@flotilla/routing'

export { type Counter, isWithin, type Limit, take, tooOften } from '@flotilla/routing'

/** Guesses that are free, and how long the wait after the others grows at most. */
export interface GuessLimit extends Limit {
  readonly waitMsMax: number
}

/**
 * What a caller wrote, as part of a key: of one length, whatever was written, and no address of mail for whoever looks
 * after Redis.
 */
export const hashed = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** Who asks, as far as an address tells: all of an IPv6 network of 64 bits is one. */
export const addressOf = (request: FastifyRequest) => callerNetworkOf(request.from.address)
