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
import type { Storage } from '@flotilla/files'
import { createCounter, type RoutingNode } from '@flotilla/routing'
import { createCallerReader, type Logger, type Registry, type SecretKey } from '@flotilla/service'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import { installCallers } from './client.ts'
import type { ApiSettings } from './config.ts'
import { addressOf, type Counter, createLimitStore, tooOften } from './limits.ts'
import { collectMethods } from './methods.ts'
import { type ApiMetrics, installMetrics } from './metrics.ts'
import { installRequestIds, makeRequestIds } from './request-ids.ts'
import { installDocs, installOpenApi } from './openapi.ts'
import { createOperatorAuthentication } from './operators.ts'
import { createShedder } from './overload.ts'
import { answerError, installErrorAnswers } from './refusals.ts'
import { createProviders, type Providers } from './providers.ts'
import type { CountryOf } from './regions.ts'
import { accountRoutes } from './routes/account.ts'
import { avatarRoutes } from './routes/avatars.ts'
import { codeRoutes } from './routes/codes.ts'
import { blockRoutes } from './routes/blocks.ts'
import { connectRoutes } from './routes/connect.ts'
import { contactRoutes } from './routes/contacts.ts'
import { conversationRequestRoutes } from './routes/conversation-requests.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { deletionRoutes } from './routes/deletion.ts'
import { type DevInbox, devMailRoutes } from './routes/dev-mail.ts'
import { deviceRoutes } from './routes/devices.ts'
import { exportRoutes } from './routes/export.ts'
import { factorRoutes } from './routes/factors.ts'
import { healthRoutes } from './routes/health.ts'
import { identityRoutes } from './routes/identities.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { keyRoutes } from './routes/keys.ts'
import { memberRoutes } from './routes/members.ts'
import { messageRoutes } from './routes/messages.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { profileRoutes } from './routes/profile.ts'
import { providerRoutes } from './routes/providers.ts'
import { type OwnPort, ownPortRoutes } from './routes/own-port.ts'
import { ownSessionRoutes } from './routes/own-sessions.ts'
import { passkeyRoutes, passkeySignInRoutes } from './routes/passkeys.ts'
import { operatorActionRoutes } from './routes/operator-actions.ts'
import { operatorPushRoutes } from './routes/operator-push.ts'
import { operatorReportRoutes } from './routes/operator-reports.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { registrationRoutes } from './routes/registration.ts'
import { proofRoutes, secondFactorRoutes } from './routes/second-factor.ts'
import { searchRoutes } from './routes/search.ts'
import { securityRoutes } from './routes/security.ts'
import { reportRoutes } from './routes/reports.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { userRoutes } from './routes/users.ts'
import { createAuthentication, installAccessTokens, type TokenKey } from './tokens.ts'
import { installTurns } from './turns.ts'
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
  /** Where pictures and uploads are kept. */
  readonly storage: Storage
  readonly settings: ApiSettings
  readonly logger: Logger
  readonly registry: Registry
  /** Answers undefined when the process wants work, otherwise the reason why not. */
  readonly ready: () => string | undefined
  readonly random: () => number
  /** Without it no country is shown, and every region is as near as the others. */
  readonly countryOf?: CountryOf | undefined
  /** Only in development: everybody who reaches the API reads all mail at /dev/mail. */
  readonly devInbox?: DevInbox | undefined
  /** Only where one port is all there is. */
  readonly ownPort?: OwnPort
}

/** What the routes work with. */
export interface RouteDeps extends ApiDeps {
  readonly counter: Counter
  readonly providers: Providers
  readonly metrics: ApiMetrics
  /** The hook of routes that demand a signed-in person. */
  readonly authenticate: ReturnType<typeof createAuthentication>
  /** The hook of routes that demand an operator. */
  readonly authenticateOperator: ReturnType<typeof createOperatorAuthentication>
}

/** An id of a passkey may have so many letters. */
const paramLengthMax = 1_400

/** Builds the API. Nothing listens yet; `inject` and `listen` both make it ready. */
export function buildApp(deps: ApiDeps): FastifyInstance {
  const { settings } = deps
  const callerOf = createCallerReader({ trustedProxies: settings.trustedProxies, header: settings.addressHeader })
  const app: Api = fastify({
    // The type of the logger leaves out `silent`, which pino has.
    loggerInstance: deps.logger as unknown as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // What is logged for a request has its id already; a logger for each would only say it twice.
    childLoggerFactory: logger => logger,
    genReqId: makeRequestIds(callerOf),
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: settings.requestMsMax,
    connectionTimeout: settings.requestMsMax,
    // Longer than a load balancer keeps its connections, so that it is never this end that closes under a request.
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    // While closing, requests on open connections are still answered; new connections are not taken.
    return503OnClosing: false,
    // HEAD is GET without the body. Where a GET is good only once it is turned off.
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: paramLengthMax },
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply as never),
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Handlers are typed by the schema of their answer, and the tests check it: nothing is left for a serializer to do.
  app.setSerializerCompiler(() => JSON.stringify)
  installRequestIds(app)
  installCallers(app, callerOf)
  installBodyParser(app)
  installErrorAnswers(app, collectMethods(app, paramLengthMax))
  installBrowserSafety(app, settings)
  const metrics = installMetrics(app, deps.registry)
  installOpenApi(app)
  installAccessTokens(app, { ...settings, keys: deps.keys })
  installDocs(app)
  app.register(async open => healthRoutes(open as Api, deps))
  const { devInbox, ownPort } = deps
  if (devInbox !== undefined) app.register(async open => devMailRoutes(open as Api, devInbox))
  if (ownPort !== undefined) app.register(async open => ownPortRoutes(open as Api, ownPort))
  app.register(async v1 => installV1(v1 as Api, deps, metrics), { prefix: '/v1' })
  return app
}

async function installV1(v1: Api, deps: ApiDeps, metrics: ApiMetrics): Promise<void> {
  const { settings } = deps
  const counter = createCounter(deps.node, 'api')
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
  metrics.readUnderWay(() => shedder.underWay())
  const authenticate = createAuthentication(deps.chat)
  const authenticateOperator = createOperatorAuthentication(deps.chat, authenticate, settings.operators)
  const providers = createProviders({
    ...settings,
    logger: deps.logger,
    clockSkewMs: () => deps.chat.clockSkewMs(),
  })
  const routeDeps: RouteDeps = { ...deps, counter, providers, metrics, authenticate, authenticateOperator }
  const groups = [
    registrationRoutes,
    userRoutes,
    invitationRoutes,
    profileRoutes,
    avatarRoutes,
    searchRoutes,
    codeRoutes,
    accountRoutes,
    sessionRoutes,
    secondFactorRoutes,
    proofRoutes,
    passkeySignInRoutes,
    passkeyRoutes,
    factorRoutes,
    ownSessionRoutes,
    securityRoutes,
    deletionRoutes,
    exportRoutes,
    providerRoutes,
    identityRoutes,
    contactRoutes,
    conversationRequestRoutes,
    blockRoutes,
    reportRoutes,
    operatorActionRoutes,
    operatorPushRoutes,
    operatorReportRoutes,
    connectRoutes,
    conversationRoutes,
    memberRoutes,
    messageRoutes,
    receiptRoutes,
    deviceRoutes,
    notificationRoutes,
    keyRoutes,
  ]
  installTurns(v1, deps.chat.turns)
  for (const group of groups) group(v1, routeDeps)
}

function installBrowserSafety(app: Api, settings: ApiSettings): void {
  app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
    },
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
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: 7_200,
  })
  app.register(fastifyCookie)
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
