/** What the routes of the API are given. build-app.ts makes it. */
import type { ChatContext } from '@flotilla/chat'
import type { Storage } from '@flotilla/files'
import type { RoutingNode } from '@flotilla/routing'
import type { Logger, Registry, SecretKey } from '@flotilla/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiSettings } from './config.ts'
import type { Counter } from './http/limits.ts'
import type { ApiMetrics } from './metrics.ts'
import type { createOperatorAuthentication } from './operator/operators.ts'
import type { CountryOf } from './regions/regions.ts'
import type { DevInbox } from './routes/dev-mail.ts'
import type { OwnPort } from './routes/own-port.ts'
import type { Providers } from './sign-in/providers.ts'
import type { createAuthentication, TokenKey } from './sign-in/tokens.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for by machines that look after this one, who must get an answer in a flood too. */
    isProbe?: boolean
    /** A file of a page, sent from memory: a page that lacks one is broken, and it costs less than to ask again. */
    isFile?: boolean
  }
}

export type Api = FastifyInstance

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
  /** Counts a change of which the person is told by mail. It runs after the one that signs in. */
  readonly admitChange: (request: FastifyRequest) => Promise<void>
  /** The hook of routes that demand an operator. */
  readonly authenticateOperator: ReturnType<typeof createOperatorAuthentication>
}
