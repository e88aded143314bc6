/**
 * The API without its process: everything that it needs is an argument, so that a test injects requests and standalone
 * runs it beside a gateway. A request goes: shed, limit, sign-in, body, schema, verb of the domain, answer.
 */
import fastifyCookie from '@fastify/cookie'
import fastifyCors from '@fastify/cors'
import fastifyHelmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { ChatContext } from '@flotilla/chat'
import type { RoutingNode } from '@flotilla/routing'
import { Gauge, Histogram, latencyBucketsSeconds, type Logger, type Registry, type SecretKey } from '@flotilla/service'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import type { ApiSettings } from './config.ts'
import { addressOf, type Counter, createCounter, createLimitStore, tooOften } from './limits.ts'
import { installDocs, installOpenApi } from './openapi.ts'
import { createShedder } from './overload.ts'
import { answerError, installErrorAnswers } from './refusals.ts'
import type { CountryOf } from './regions.ts'
import { connectRoutes } from './routes/connect.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { healthRoutes } from './routes/health.ts'
import { keyRoutes } from './routes/keys.ts'
import { memberRoutes } from './routes/members.ts'
import { messageRoutes } from './routes/messages.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { userRoutes } from './routes/users.ts'
import { createAuthentication, installAccessTokens, type TokenKey } from './tokens.ts'
import { installBodyParser, validatorCompiler } from './validate.ts'

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface ApiDeps {
  readonly chat: ChatContext
  /** The view of the nodes, and the counts that all processes share. */
  readonly node: Pick<RoutingNode, 'nodes' | 'hit'>
  readonly keys: {
    readonly token: readonly TokenKey[]
    readonly refresh: readonly SecretKey[]
    /** Equal to those of the gateways. */
    readonly ticket: readonly SecretKey[]
  }
  readonly settings: ApiSettings
  readonly logger: Logger
  readonly registry: Registry
  /** Answers undefined when the process wants work, otherwise the reason why not. */
  readonly ready: () => string | undefined
  readonly clock: () => number
  readonly random: () => number
  /** Left out where there is one region only. */
  readonly countryOf?: CountryOf | undefined
}

/** What the routes work with. */
export interface RouteDeps extends ApiDeps {
  readonly counter: Counter
  /** The hook of routes that demand a signed-in person. */
  readonly authenticate: ReturnType<typeof createAuthentication>
}

/** Builds the API. Nothing listens yet; `inject` and `listen` both make it ready. */
export function buildApp(deps: ApiDeps): FastifyInstance {
  const { settings } = deps
  const app: Api = fastify({
    // The type of the logger leaves out `silent`, which pino has.
    loggerInstance: deps.logger as unknown as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: settings.requestMsMax,
    connectionTimeout: settings.requestMsMax,
    // Longer than a load balancer keeps its connections, so that it is never this end that closes under a request.
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    // While closing, requests on open connections are still answered; new connections are not taken.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply as never),
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Handlers are typed by the schema of their answer, and the tests check it: nothing is left for a serializer to do.
  app.setSerializerCompiler(() => JSON.stringify)
  installBodyParser(app)
  installErrorAnswers(app)
  installBrowserSafety(app, settings)
  installMetrics(app, deps.registry)
  installOpenApi(app)
  installAccessTokens(app, { ...settings, keys: deps.keys })
  installDocs(app)
  app.register(async open => healthRoutes(open as Api, deps))
  app.register(async v1 => installV1(v1 as Api, deps), { prefix: '/v1' })
  return app
}

async function installV1(v1: Api, deps: ApiDeps): Promise<void> {
  const { settings } = deps
  const counter = createCounter(deps.node, deps.clock)
  const shedder = createShedder({ ...settings, random: deps.random })
  v1.addHook('onClose', async () => shedder.stop())
  v1.addHook('onRequest', async (_request, reply) => {
    shedder.admit(reply)
    // Nearly every answer is about one person; none may lie in a cache unless its route says so.
    reply.header('cache-control', 'no-store')
  })
  await v1.register(rateLimit, {
    max: settings.requestsMax,
    timeWindow: settings.requestWindowMs,
    store: createLimitStore(counter),
    keyGenerator: addressOf,
    errorResponseBuilder: (_request, context) => tooOften(context.ttl),
  })
  const underWay: Gauge = new Gauge({
    name: 'flotilla_api_requests_under_way',
    help: 'Requests that are being answered.',
    registers: [],
    collect: () => underWay.set(shedder.underWay()),
  })
  deps.registry.registerMetric(underWay)
  const routeDeps: RouteDeps = { ...deps, counter, authenticate: createAuthentication(deps.chat) }
  const groups = [
    userRoutes,
    sessionRoutes,
    connectRoutes,
    conversationRoutes,
    memberRoutes,
    messageRoutes,
    receiptRoutes,
    keyRoutes,
  ]
  for (const group of groups) group(v1, routeDeps)
}

function installBrowserSafety(app: Api, settings: ApiSettings): void {
  app.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Answers are for pages of other origins that CORS lets in.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  })
  const everybody = settings.allowedOrigins.includes('*')
  app.register(fastifyCors, {
    origin: everybody ? '*' : settings.allowedOrigins.length === 0 ? false : [...settings.allowedOrigins],
    // A cookie goes only to origins that are named.
    credentials: !everybody,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'x-flotilla-cookie'],
    exposedHeaders: ['retry-after'],
    maxAge: 7_200,
  })
  app.register(fastifyCookie)
}

function installMetrics(app: Api, registry: Registry): void {
  const durations = new Histogram({
    name: 'flotilla_api_request_duration_seconds',
    help: 'How long requests took, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: latencyBucketsSeconds,
    registers: [registry],
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const labels = { method, route: routeOptions.url ?? 'unknown', status: reply.statusCode }
    durations.observe(labels, reply.elapsedTime / 1000)
  })
}

/** Bytes that are not even HTTP, or headers without end. There is no request to answer, only a connection to end. */
function refuseUnreadable(
  error: Error & { code?: string },
  socket: { writable: boolean; destroy(): void; end(text: string): void },
) {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const code = tooLarge ? 'frame_too_large' : 'frame_malformed'
  const body = JSON.stringify({ error: { code, message: 'the request cannot be read' } })
  const head = [
    tooLarge ? 'HTTP/1.1 413 Content Too Large' : 'HTTP/1.1 400 Bad Request',
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  return socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
