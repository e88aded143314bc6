/**
 * All of it in one process on embedded parts: PostgreSQL, the broker in memory, a gateway and the API behind one port.
 * The same code and the same migrations run as in the fleet; what differs is only what they are given.
 */
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  type ApiSettings,
  apiDefaults,
  buildApp,
  loadCountries,
  type ProviderSettings,
  type RegistrationValues,
  toRegistration,
  toRegistrationCheck,
} from '@flotilla/api'
import { chatDefaults, type ChatSettings, createPool, prepareSchema } from '@flotilla/chat'
import { openLocalStorage } from '@flotilla/files'
import { createGateway, gatewaySettings } from '@flotilla/gateway'
import { createMemoryBus, createMemoryRouting, createRedisRouting } from '@flotilla/routing'
import {
  type AddressHeader,
  createCallerReader,
  createRegistry,
  type Logger,
  measureProcess,
  openFolder,
  serveHealth,
  type Setting,
  socketsMax,
} from '@flotilla/service'
import {
  createDevInbox,
  createSmtpMailer,
  createWorker,
  type DevInbox,
  mailMsMax,
  openPushProviders,
  type PushProvidersOptions,
  workerSettings,
} from '@flotilla/worker'
import { fillDemo } from './demo/fill.ts'
import { type Holder, takeFolder } from './instance.ts'
import { loadKeys } from './keys.ts'
import { hasCluster, startEmbeddedPostgres } from './postgres.ts'
import { doorHeader, openSocketDoor } from './socket-door.ts'
import { pack, readSite } from './site.ts'
import { startPage } from './start-page.ts'

export interface StandaloneOptions {
  /** Where keys and data are kept; made if it is missing. */
  readonly folder: string
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly logger: Logger
  /** Under which people reach it. Left out, it is `http://localhost:port`, or by whatever name they come. */
  readonly publicUrl?: string | undefined
  /** The proxies in front, and the header in which they say who calls; none when left out. */
  readonly trustedProxies?: readonly string[]
  readonly addressHeader?: AddressHeader
  /** Pages of these origins may call the API, beside its own and, if only this machine gets here, those of this machine. */
  readonly allowedOrigins?: readonly string[]
  /** Servers to use instead of the embedded parts. */
  readonly databaseUrl?: string | undefined
  readonly redisUrl?: string | undefined
  readonly nodeId?: string | undefined
  /** The accounts elsewhere that people can sign in with; none when left out. */
  readonly providers?: readonly ProviderSettings[]
  /** Where else people may go after that, beside the pages of this process. */
  readonly returnUrls?: readonly string[]
  /** The ids of the people who may call the routes of operators; none when left out. */
  readonly operators?: readonly string[] | undefined
  /** From when on it is too busy to answer, as for the API; its default when left out. */
  readonly eventLoopDelayMsMax?: number
  /** Who may register, and what that takes; everybody, and nothing, when left out. */
  readonly registration?: RegistrationValues
  /** Whom people let into conversations, and how much each may have; the defaults when left out. */
  readonly bounds?: Partial<ChatSettings>
  /** As its people know it; Flotilla when left out. */
  readonly deploymentName?: string
  /** An SMTP server and the sender. Left out, and if only this machine gets here, a page shows the mails. */
  readonly mail?: { readonly url: string; readonly from: string } | undefined
  /** Push services. What would have gone through one that is left out is shown on the same page. */
  readonly push?: Pick<PushProvidersOptions, 'fcm' | 'vapid'> & { readonly names: boolean }
  /** Where the built web client is. Left out, the page for developers stands in its place. */
  readonly siteFolder?: string | undefined
  /** The port for operators; none when left out. */
  readonly operator?: { readonly host: string; readonly port: number } | undefined
  /** Fills a workspace to look around in, once. */
  readonly demo?: boolean
  /** The embedded PostgreSQL ended by itself: nothing works any longer. */
  onFault?(error: Error): void
}

export interface Standalone {
  /** Where people reach it. */
  readonly url: string
  /** The page of mails and pushes that were not sent; there only in development. */
  readonly devInboxUrl: string | undefined
  /** Who can be signed in as, if there is a demo workspace. */
  readonly demo: { readonly usernames: readonly string[]; readonly password: string } | undefined
  /** Moves people away, writes what waits, and ends the store last. */
  stop(): Promise<void>
}

const region = 'local'
const socketPath = '/v1/socket'
/** Where developers find what they begin with. */
export const startPath = '/start'
const databaseConnectionsMax = 12
/** A socket of a person takes one at the door, one behind it, and one at the gateway. */
const filesPerSocket = 3
/** How long the start waits for a PostgreSQL of one's own, and for whoever migrates it. */
const schemaWaitMsMax = 30_000
/** Long enough for a client to hear that it is moved, short enough for Ctrl-C. */
const drainMs = 300
/** What a request may take that is under way when the process ends. */
const closeMsMax = 5_000

/** Starts everything. What was started before a failure is stopped again. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const stops: (() => Promise<void> | void)[] = []
  let stopping: Promise<void> | undefined
  const stop = () =>
    (stopping ??= (async () => {
      for (const stopPart of stops.toReversed()) await stopPart()
    })())
  try {
    const started = await start(
      options,
      run => void stops.push(run),
      () => stopping !== undefined,
    )
    return { ...started, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type AtStop = (run: () => Promise<void> | void) => void

async function start(
  options: StandaloneOptions,
  atStop: AtStop,
  isStopping: () => boolean,
): Promise<Omit<Standalone, 'stop'>> {
  const ground = await takeGround(options, atStop)
  const { publicUrl, registry, port } = ground
  const stores = await openStores(options, ground, atStop, isStopping)
  const parts = await startParts(options, ground, stores)
  const { gateway, worker, app } = parts
  const callerOf = createCallerReader({
    trustedProxies: options.trustedProxies ?? [],
    header: options.addressHeader ?? apiDefaults.addressHeader,
  })
  const door = openSocketDoor(app.server, socketPath, gateway.port, request => callerOf(request).address)
  atStop(async () => {
    // Together: the API waits for its connections, which the gateway ends.
    const closed = app.close()
    await worker.stop()
    await gateway.drain()
    await door.close()
    const late = setTimeout(() => app.server.closeAllConnections(), closeMsMax)
    await closed
    clearTimeout(late)
  })
  await app.listen({ host: options.host, port }).catch(rethrowListen(options.host, port))
  if (options.operator !== undefined) {
    const health = await serveHealth({ ...options.operator, registry, ready: () => gateway.unready() }).catch(
      rethrowListen(options.operator.host, options.operator.port, 'OPERATOR_PORT'),
    )
    atStop(() => health.close())
  }
  const password = secretOf(ground.keys, 'demo workspace').slice(0, 12)
  const demo = options.demo === true ? { usernames: await fillDemo(gateway.chat, password), password } : undefined
  return { url: publicUrl, devInboxUrl: parts.devInboxUrl, demo }
}

/** Whatever can fail for what was asked fails here, before a server is started. */
async function takeGround(options: StandaloneOptions, atStop: AtStop) {
  const folder = openFolder(options.folder)
  const holder: Holder = { pid: process.pid }
  atStop(await takeFolder(folder, holder))
  const port = await claimPort(options.host, options.port)
  const keys = loadKeys(folder, options.databaseUrl !== undefined || !hasCluster(folder))
  const publicUrl = (options.publicUrl ?? ownUrl(options.host, port)).replace(/\/$/, '')
  holder.url = publicUrl
  const nodeId = options.nodeId ?? `${options.host}-${port}`.replaceAll(/[^\w.-]/g, '_')
  return { folder, port, keys, publicUrl, nodeId, registry: createRegistry({ node: nodeId, region }) }
}

type Ground = Awaited<ReturnType<typeof takeGround>>

async function openStores(options: StandaloneOptions, ground: Ground, atStop: AtStop, isStopping: () => boolean) {
  const { logger } = options
  const { folder, keys, nodeId } = ground
  const url = options.databaseUrl ?? (await openEmbedded())
  const applicationName = `flotilla-standalone ${nodeId}`
  await prepareSchema({ url, migrates: true, waitMsMax: schemaWaitMsMax, logger, applicationName }).catch(
    (error: unknown) => {
      throw options.databaseUrl === undefined && isStranger(error) ? foreignCluster(folder, error) : error
    },
  )
  const pool = createPool({ url, connectionsMax: databaseConnectionsMax, logger, applicationName })
  atStop(() => pool.end())
  const routing =
    options.redisUrl === undefined
      ? createMemoryRouting(createMemoryBus())
      : await createRedisRouting({ url: options.redisUrl, fleetKeys: keys.master, logger })
  atStop(() => routing.close())
  return { pool, routing }

  async function openEmbedded(): Promise<string> {
    const postgres = await startEmbeddedPostgres(folder, keys.databasePassword)
    atStop(() => postgres.stop())
    void postgres.ended.then(() => {
      if (!isStopping()) options.onFault?.(new Error(`unable to go on: PostgreSQL ended; see ${folder}/postgres.log`))
    })
    return postgres.url
  }
}

type Stores = Awaited<ReturnType<typeof openStores>>

/** The gateway on a port of its own, the worker, and the API, which does not listen yet. */
async function startParts(options: StandaloneOptions, ground: Ground, stores: Stores) {
  const { logger } = options
  const { folder, keys, publicUrl, registry } = ground
  const peopleMax = socketsMax(databaseConnectionsMax, filesPerSocket)
  const isMine = isPrivate(publicUrl, options)
  const devInbox = isMine && options.mail === undefined ? createDevInbox() : undefined
  // First, since they keep the process busy, on a slow machine for seconds: loops that run already would miss their time.
  const files = await readPages(options, publicUrl, devInbox !== undefined)
  const countryOf = loadCountries(undefined)
  const mailer =
    options.mail === undefined ? devInbox : createSmtpMailer({ ...options.mail, connectionsMax: 2, mailMsMax })
  const publicName = options.deploymentName ?? chatDefaults.deploymentName
  const gateway = await startGateway(options, ground, stores, { publicName, mail: mailer !== undefined, peopleMax })
  measureProcess(registry, { pool: stores.pool, ...gateway })
  const storage = await openLocalStorage(join(folder, 'files'))
  const pushProviders = await openPushes(options, publicName, devInbox, gateway.chat.clock)
  const worker = createWorker({
    chat: gateway.chat,
    mailer,
    pushProviders,
    storage,
    publicName,
    logger,
    registry,
    random: Math.random,
    settings: { stopMsMax: closeMsMax },
  })
  const inbox = devInbox && { list: () => devInbox.list(), key: secretOf(keys, 'development inbox') }
  const app = buildApp({
    chat: gateway.chat,
    devInbox: inbox,
    ownPort: { files, socketPath },
    countryOf,
    node: gateway.node,
    keys,
    storage,
    settings: apiSettingsFor(publicUrl, options),
    logger,
    registry,
    ready: () => gateway.unready(),
    random: Math.random,
  })
  app.server.maxConnections = peopleMax
  return { gateway, worker, app, devInboxUrl: inbox && `${publicUrl}/dev/mail?key=${inbox.key}` }
}

/** The web client, and beside it the page for those who build on Flotilla. */
async function readPages({ siteFolder }: StandaloneOptions, publicUrl: string, showsMail: boolean) {
  const { html, policy } = startPage({ url: publicUrl, showsMail })
  const page = { ...(await pack('start.html', Buffer.from(html))), policy }
  if (siteFolder === undefined) return new Map([['/', page]])
  return (await readSite(siteFolder, socketUrl(publicUrl))).set(startPath, page)
}

const startGateway = (
  options: StandaloneOptions,
  { keys, nodeId, publicUrl, registry }: Ground,
  stores: Stores,
  own: { readonly publicName: string; readonly mail: boolean; readonly peopleMax: number },
) =>
  createGateway({
    ...stores,
    logger: options.logger,
    registry,
    masterKeys: keys.master,
    ticketKeys: keys.ticket,
    nodeId,
    region,
    publicUrl: socketUrl(publicUrl),
    host: '127.0.0.1',
    port: 0,
    ...gatewayDefaults,
    // The door of the one port tells whom it hands on.
    trustedProxies: ['127.0.0.1'],
    addressHeader: doorHeader,
    connectionsMax: Math.min(gatewayDefaults.connectionsMax, own.peopleMax),
    drainMs,
    chat: {
      mail: own.mail,
      deploymentName: own.publicName,
      pushNames: options.push?.names ?? chatDefaults.pushNames,
      ...(options.registration === undefined ? {} : toRegistration(options.registration)),
      ...options.bounds,
    },
  })

/** Whether an address or a name leads to this machine only. */
export const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host)

/** Whether nobody but this machine gets here: what the development inbox shows would open everybody's account. */
const isPrivate = (publicUrl: string, { host, trustedProxies = [] }: ApiOptions) =>
  isLoopback(host) && isLoopback(new URL(publicUrl).hostname) && trustedProxies.length === 0

/** Listening on every address, it has no name of its own: what is shown is what works on this machine. */
const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'

export function ownUrl(host: string, port: number): string {
  const name = isLoopback(host) || isEverywhere(host) ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

const socketUrl = (publicUrl: string) => publicUrl.replace(/^http/, 'ws') + socketPath

/** Pages that are being made on this machine. They come from here, as this process does. */
const localOrigins = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** The services that are given; in development the inbox stands in for the others. */
async function openPushes(
  options: StandaloneOptions,
  publicName: string,
  devInbox: DevInbox | undefined,
  clock: () => number,
) {
  const { fcm, vapid } = options.push ?? { fcm: undefined, vapid: {} }
  const given = await openPushProviders({
    fcm,
    vapid: { publicKey: undefined, privateKey: undefined, subject: undefined, ...vapid },
    limits: {
      sendMs: chatDefaults.pushSendMs,
      ttlMs: defaultOf(workerSettings.PUSH_TTL_MS),
      publicName,
    },
    clock,
  })
  const missing = (['fcm', 'webpush'] as const).filter(name => given.every(provider => provider.name !== name))
  return [...given, ...(devInbox === undefined ? [] : missing.map(name => devInbox.pushesOf(name, publicName)))]
}

/** The same at each start, so that a page that was left open goes on. */
const secretOf = ({ ticket }: Ground['keys'], purpose: string) =>
  createHmac('sha256', ticket[0]!.key).update(purpose).digest('base64url').slice(0, 22)

const defaultOf = <T>(setting: Setting<T>) => setting.default as T

/** One process serves few: they need not be spread over half a minute, and are back within five seconds of a restart. */
const reconnectMsMax = 4_000

/** The numbers of a gateway as the fleet has them, but for the time to come back. */
const gatewayDefaults = {
  connectionsMax: defaultOf(gatewaySettings.CONNECTIONS_MAX),
  connectsPerSecond: defaultOf(gatewaySettings.CONNECTS_PER_SECOND),
  commandsPerSecond: defaultOf(gatewaySettings.COMMANDS_PER_SECOND),
  commandsBurst: defaultOf(gatewaySettings.COMMANDS_BURST),
  commandsInFlightMax: defaultOf(gatewaySettings.COMMANDS_IN_FLIGHT_MAX),
  sendQueueBytesMax: defaultOf(gatewaySettings.SEND_QUEUE_BYTES_MAX),
  sendQueuesBytesMax: defaultOf(gatewaySettings.SEND_QUEUES_BYTES_MAX),
  readStallMsMax: defaultOf(gatewaySettings.READ_STALL_MS),
  connectionsPerSessionMax: defaultOf(gatewaySettings.CONNECTIONS_PER_SESSION_MAX),
  connectionsPerPersonMax: defaultOf(gatewaySettings.CONNECTIONS_PER_PERSON_MAX),
  connectsPerPersonMax: defaultOf(gatewaySettings.CONNECTS_PER_PERSON_MAX),
  refreshesPerSecond: defaultOf(gatewaySettings.REFRESHES_PER_SECOND),
  // Whoever tries things out has one address for everybody.
  connectsPerAddressMax: defaultOf(gatewaySettings.CONNECTS_PER_ADDRESS_MAX) * 10,
  socketsPerAddressMax: defaultOf(gatewaySettings.SOCKETS_PER_ADDRESS_MAX) * 10,
  pingIntervalMs: defaultOf(gatewaySettings.PING_INTERVAL_MS),
  reconnect: {
    baseMs: defaultOf(gatewaySettings.RECONNECT_BASE_MS),
    maxMs: reconnectMsMax,
  },
  allowedOrigins: defaultOf(gatewaySettings.ALLOWED_ORIGINS),
}

/** Whoever tries things out has one address for everybody. */
const tenfold = <T extends { readonly max: number }>(limit: T): T => ({ ...limit, max: limit.max * 10 })

/** What of the options is for the API. */
type ApiOptions = Partial<StandaloneOptions> & Pick<StandaloneOptions, 'host'>

/** As in the fleet, but for what counts by the address alone. */
export const apiSettingsFor = (publicUrl: string, options: ApiOptions): ApiSettings => ({
  ...apiDefaults,
  publicUrl,
  trustedProxies: options.trustedProxies ?? [],
  addressHeader: options.addressHeader ?? apiDefaults.addressHeader,
  operators: options.operators ?? [],
  returnUrls: options.returnUrls ?? [],
  providers: options.providers ?? [],
  vapidPublicKey: options.push?.vapid.publicKey,
  region,
  gatewayUrls: [{ region, url: socketUrl(publicUrl) }],
  urlByHost: options.publicUrl === undefined && isEverywhere(options.host) ? socketUrl(publicUrl) : undefined,
  allowedOrigins: allowedOrigins(publicUrl, options),
  cookieSecure: publicUrl.startsWith('https:'),
  webauthn: webauthnFor(publicUrl, options.allowedOrigins ?? []),
  eventLoopDelayMsMax: options.eventLoopDelayMsMax ?? apiDefaults.eventLoopDelayMsMax,
  requestsMax: apiDefaults.requestsMax * 10,
  requestsPerAddressMax: apiDefaults.requestsPerAddressMax * 10,
  httpConnectionsPerAddressMax: apiDefaults.httpConnectionsPerAddressMax * 10,
  registrations: tenfold(apiDefaults.registrations),
  registrationCheck:
    options.registration === undefined
      ? apiDefaults.registrationCheck
      : toRegistrationCheck(options.registration, apiDefaults.providerMsMax),
  codes: tenfold(apiDefaults.codes),
  ceremonies: tenfold(apiDefaults.ceremonies),
  providerSignIns: tenfold(apiDefaults.providerSignIns),
})

function allowedOrigins(publicUrl: string, options: ApiOptions): ApiSettings['allowedOrigins'] {
  const given = options.allowedOrigins ?? []
  return isPrivate(publicUrl, options) && !given.includes('*') ? [...given, localOrigins] : given
}

/** Passkeys of this host may be used on every page of it, or below it, that is named. */
function webauthnFor(publicUrl: string, allowed: readonly string[]): ApiSettings['webauthn'] {
  const { hostname: rpId, origin } = new URL(publicUrl)
  const isBelow = (one: string) => URL.canParse(one) && `.${new URL(one).hostname}`.endsWith(`.${rpId}`)
  return { ...apiDefaults.webauthn, rpId, origins: [...new Set([origin, ...allowed.filter(isBelow)])] }
}

/** Finds out at once whether the port can be had, and which it is. */
async function claimPort(host: string, port: number): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen({ host, port, exclusive: true }, resolve)
  }).catch(rethrowListen(host, port))
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : port
}

function rethrowListen(host: string, port: number, setting: 'PORT' | 'OPERATOR_PORT' = 'PORT') {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is in use. Choose another: ${setting}=${port + 10} npm start`,
    EACCES: `ports below 1024 need more rights. Choose a higher one: ${setting}=${8_000 + (port % 1_000)} npm start`,
    EADDRNOTAVAIL:
      'this machine has no such address. HOST=127.0.0.1 is this machine alone, HOST=0.0.0.0 all of its addresses',
  }
  return (error: NodeJS.ErrnoException): never => {
    throw new Error(`unable to listen on ${host}:${port}: ${reasons[error.code ?? ''] ?? error.message}`, {
      cause: error,
    })
  }
}

/** Whether PostgreSQL does not know who asks. */
function isStranger(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return code === '28P01' || code === '28000' || (cause !== undefined && isStranger(cause))
}

const foreignCluster = (folder: string, cause: unknown) =>
  new Error(
    `unable to open the data in ${folder}/postgres: the cluster does not know the password in ${folder}/keys.json. The two belong together: restore both from the same backup, or move away the one that is not Flotilla's`,
    { cause },
  )
