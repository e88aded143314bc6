/**
 * The API without its process: everything that it needs is an argument, so that a test injects requests and standalone
 * runs it beside a gateway. A request goes: shed, limit, sign-in, body, seat, schema, verb of the domain, answer.
 */
import { STATUS_CODES } from 'node:http'
import fastifyCookie from '@fastify/cookie'
import fastifyCors from '@fastify/cors'
import fastifyHelmet from '@fastify/helmet'
import type { Api, ApiDeps, RouteDeps } from './app.ts'
import { type ErrorCode, errors } from '@flotilla/protocol'
import { createCounter } from '@flotilla/routing'
import { createCallerReader } from '@flotilla/service'
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify'
import { installCallers } from './http/client.ts'
import type { ApiSettings } from './config.ts'
import { boundBody, boundSockets } from './http/doors.ts'
import { addressOf, type Counter, take } from './http/limits.ts'
import { collectMethods } from './http/methods.ts'
import { type ApiMetrics, installMetrics } from './metrics.ts'
import { installRequestIds, makeRequestIds } from './http/request-ids.ts'
import { installDocs, installOpenApi } from './http/openapi.ts'
import { createOperatorAuthentication } from './operator/operators.ts'
import { awaitsBody, createShedder, type Shedder } from './http/overload.ts'
import { answerError, installErrorAnswers } from './http/refusals.ts'
import { createProviders } from './sign-in/providers.ts'
import { accountRoutes } from './routes/account.ts'
import { avatarRoutes } from './routes/avatars.ts'
import { codeRoutes } from './routes/codes.ts'
import { blockRoutes } from './routes/blocks.ts'
import { connectRoutes } from './routes/connect.ts'
import { contactRoutes } from './routes/contacts.ts'
import { conversationRequestRoutes } from './routes/conversation-requests.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { deletionRoutes } from './routes/deletion.ts'
import { devMailRoutes } from './routes/dev-mail.ts'
import { deviceRoutes } from './routes/devices.ts'
import { exportRoutes } from './routes/export.ts'
import { factorRoutes } from './routes/factors.ts'
import { healthRoutes } from './routes/health.ts'
import { hiddenMessageRoutes } from './routes/hidden-messages.ts'
import { identityRoutes } from './routes/identities.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { keyRoutes } from './routes/keys.ts'
import { groupRoutes } from './routes/groups.ts'
import { inviteLinkRoutes, joinRequestRoutes } from './routes/invite-links.ts'
import { memberRoutes } from './routes/members.ts'
import { messageChangeRoutes } from './routes/message-changes.ts'
import { messageRoutes } from './routes/messages.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { pollRoutes } from './routes/polls.ts'
import { profileRoutes } from './routes/profile.ts'
import { providerRoutes } from './routes/providers.ts'
import { ownPortRoutes } from './routes/own-port.ts'
import { ownSessionRoutes } from './routes/own-sessions.ts'
import { passkeyRoutes, passkeySignInRoutes } from './routes/passkeys.ts'
import { operatorActionRoutes } from './routes/operator-actions.ts'
import { operatorCountRoutes } from './routes/operator-counts.ts'
import { operatorPushRoutes } from './routes/operator-push.ts'
import { operatorReportRoutes } from './routes/operator-reports.ts'
import { draftRoutes } from './routes/drafts.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { registrationRoutes } from './routes/registration.ts'
import { reauthenticationRoutes, secondFactorRoutes } from './routes/second-factor.ts'
import { scheduledRoutes } from './routes/scheduled.ts'
import { searchRoutes } from './routes/search.ts'
import { securityRoutes } from './routes/security.ts'
import { reminderRoutes } from './routes/reminders.ts'
import { reportRoutes } from './routes/reports.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { threadRoutes } from './routes/threads.ts'
import { userRoutes } from './routes/users.ts'
import { createAuthentication, installAccessTokens } from './sign-in/tokens.ts'
import { installTurns } from './http/turns.ts'
import { installBodyParser, validatorCompiler } from './http/validate.ts'

/** An id of a passkey may have so many letters. */
const paramLengthMax = 1_400
/** How often it is looked for headers and requests that take too long. */
const lateCheckMs = 1_000

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
    http: { headersTimeout: settings.headersMsMax, connectionsCheckingInterval: lateCheckMs },
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
  })
  app.setValidatorCompiler(validatorCompiler)
  // Handlers are typed by the schema of their answer, and the tests check it: nothing is left for a serializer to do.
  app.setSerializerCompiler(() => JSON.stringify)
  installRequestIds(app)
  installCallers(app, callerOf)
  installBodyParser(app)
  installErrorAnswers(app, collectMethods(app, paramLengthMax))
  installBrowserSafety(app, settings)
  boundSockets(app.server, { ...settings, callerOf, logger: deps.logger })
  const counter = createCounter(deps.node, 'api')
  const metrics = installMetrics(app, deps.registry)
  installOpenApi(app)
  installAccessTokens(app, { ...settings, keys: deps.keys })
  const shedder = installBounds(app, { ...deps, counter, metrics })
  installDocs(app)
  app.register(async open => healthRoutes(open, deps))
  const { devInbox, ownPort } = deps
  if (devInbox !== undefined) app.register(async open => devMailRoutes(open, devInbox))
  if (ownPort !== undefined) app.register(async open => ownPortRoutes(open, ownPort))
  app.register(async v1 => installV1(v1, { ...deps, counter, metrics }), { prefix: '/v1' })
  // The last of the hooks: the OpenAPI document is made in one before it, which blocks the event loop for a moment.
  app.register(async started => void started.addHook('onListen', async () => shedder.begin()))
  return app
}

interface Counting {
  readonly counter: Counter
  readonly metrics: ApiMetrics
}

/** What holds for every request but those of probes, the unknown ones too. After CORS, so that pages can read a refusal. */
function installBounds(app: Api, { settings, counter, metrics, random }: ApiDeps & Counting): Shedder {
  const shedder = createShedder({ ...settings, random })
  const requests = { max: settings.requestsMax, windowMs: settings.requestWindowMs }
  metrics.readUnderWay(() => shedder.underWay())
  app.addHook('onClose', async () => shedder.stop())
  app.after(() => {
    app.addHook('onRequest', async (request, reply) => {
      const { config, bodyLimit } = request.routeOptions
      if (config.isProbe === true) return
      shedder.arrive(request, reply)
      const isLarge = (bodyLimit ?? 0) > settings.bodyBytesMax
      boundBody(request, isLarge ? settings.requestMsMax : settings.bodyMsMax)
      if (!awaitsBody(request)) shedder.seat(request, reply)
      await take(counter, `address:${addressOf(request)}`, requests)
    })
    app.addHook('preValidation', async (request, reply) => {
      if (request.routeOptions.config.isProbe !== true) shedder.seat(request, reply)
    })
  })
  return shedder
}

async function installV1(v1: Api, deps: ApiDeps & Counting): Promise<void> {
  const { settings } = deps
  v1.addHook('onRequest', async (_request, reply) => {
    // Nearly every answer is about one person; none may lie in a cache unless its route says so.
    reply.header('cache-control', 'no-store')
  })
  const authenticate = createAuthentication(deps.chat)
  const authenticateOperator = createOperatorAuthentication(deps.chat, authenticate, settings.operators)
  const providers = createProviders({
    ...settings,
    logger: deps.logger,
    clockSkewMs: () => deps.chat.clockSkewMs(),
  })
  const admitChange = (request: FastifyRequest) =>
    take(deps.counter, `change:${request.caller.user}`, settings.accountChanges)
  const routeDeps: RouteDeps = { ...deps, providers, authenticate, authenticateOperator, admitChange }
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
    reauthenticationRoutes,
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
    operatorCountRoutes,
    operatorPushRoutes,
    operatorReportRoutes,
    connectRoutes,
    conversationRoutes,
    memberRoutes,
    groupRoutes,
    inviteLinkRoutes,
    joinRequestRoutes,
    messageRoutes,
    messageChangeRoutes,
    hiddenMessageRoutes,
    scheduledRoutes,
    reminderRoutes,
    threadRoutes,
    pollRoutes,
    receiptRoutes,
    draftRoutes,
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
    // As frameAncestors says, for those who do not know it.
    xFrameOptions: { action: 'deny' },
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

const unreadable: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'frame_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** Bytes that are not even HTTP, or headers without end. There is no request to answer, only a connection to end. */
function refuseUnreadable(
  error: Error & { code?: string },
  socket: { writable: boolean; destroy(): void; end(text: string): void },
) {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
  const code = unreadable[error.code ?? ''] ?? 'frame_malformed'
  const message = code === 'request_timeout' ? errors[code].meaning : 'the request cannot be parsed'
  const body = JSON.stringify({ error: { code, message } })
  const head = [
    `HTTP/1.1 ${errors[code].http} ${STATUS_CODES[errors[code].http]}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  return socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
