/**
 * Errors over HTTP: whatever goes wrong becomes one Refusal here and nowhere else, so that each answer has a code from
 * the table. What is not understood is `internal`: its cause goes to the log, never to the caller.
 */
import { asRefusal } from '@flotilla/chat'
import { type ErrorCode, errors, Refusal } from '@flotilla/protocol'
import { answered, ErrorSchema, named } from '@flotilla/protocol/schemas'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'

const ErrorAnswer = named(
  'ErrorAnswer',
  Type.Object(
    { error: named('Error', Type.Unsafe<ReturnType<Refusal['toBody']>>(ErrorSchema)) },
    { additionalProperties: false },
  ),
)

/** The error answers of a route, by status. */
export function refusals(codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(codes, code => errors[code].http)
  const schemas = [...byStatus].map(([status, listed]) => [
    status,
    answered(listed.map(code => `\`${code}\`: ${errors[code].meaning}`).join(' '), ErrorAnswer),
  ])
  return Object.fromEntries(schemas) as Readonly<Record<number, typeof ErrorAnswer>>
}

const frameworkCodes: Readonly<Record<string, () => Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new Refusal('frame_too_large'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new Refusal('field_invalid', 'content-type: must be application/json', {
      field: 'content-type',
      rule: 'application/json',
    }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Refusal('frame_malformed', 'the body does not match Content-Length'),
  FST_ERR_BAD_URL: () => new Refusal('route_unknown', 'the URL cannot be decoded'),
  FST_ERR_MAX_PARAM_LENGTH: () => new Refusal('route_unknown', 'the URL is too long'),
}

/** Any error as a Refusal. `internal` stands for whatever is not meant for the caller. */
function toRefusal(error: unknown): Refusal {
  const { code, statusCode } = error as Partial<FastifyError>
  const known = code === undefined ? undefined : frameworkCodes[code]
  if (known !== undefined) return known()
  // Fastify marks by status what it or a plugin of it refuses; it happens only before a route has begun.
  if (code?.startsWith('FST_') && statusCode !== undefined && statusCode < 500)
    return new Refusal('frame_malformed', 'the request cannot be parsed')
  return asRefusal(error) ?? new Refusal('internal')
}

/** Writes a refusal as the answer. */
function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { retryMs } = refusal.detail
  if (retryMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryMs / 1000)))
  // Also where the request was refused before any hook of it ran.
  reply.header('x-request-id', reply.request.id)
  if (refusal.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  return reply.code(errors[refusal.code].http).type('application/json').send({ error: refusal.toBody() })
}

/** The one place where errors become answers. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = toRefusal(error)
  if (refusal.code === 'internal') {
    const { id: requestId, method, routeOptions } = request
    request.log.error({ err: error, requestId, method, route: routeOptions.url }, 'request failed')
  }
  return sendRefusal(reply, refusal)
}

/** @param methodsOf the methods that a URL takes */
export function installErrorAnswers(app: FastifyInstance, methodsOf: (url: string) => readonly string[]): void {
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request
    const shown = url.slice(0, 128)
    const allowed = methodsOf(url).join(', ')
    if (allowed === '') return sendRefusal(reply, new Refusal('route_unknown', `no such URL: ${method} ${shown}`))
    reply.header('allow', allowed)
    return sendRefusal(reply, new Refusal('method_not_allowed', `${shown} supports ${allowed}, not ${method}`))
  })
}
