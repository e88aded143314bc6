/**
 * DATABASE_URL, read as libpq reads it. `pg` reads its parameters in a way of its own: it verifies certificates under
 * `sslmode=require`, and hands on whatever it does not know.
 */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

/** What a connection is made of. Nothing is left to the PG… variables of the environment but user, password and database. */
export interface DatabaseAddress {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly options: string | undefined
  readonly applicationName: string | undefined
  readonly ssl: false | ConnectionOptions
  readonly sslnegotiation: 'postgres' | 'direct'
  /** Whether it goes on without TLS on a server that has none. */
  readonly mayBePlain: boolean
  readonly channelBinding: ChannelBinding
}

export type ChannelBinding = (typeof channelBindings)[number]

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const channelBindings = ['disable', 'prefer', 'require'] as const
const negotiations = ['postgres', 'direct'] as const

/** Parameters that are understood, and what those that leave no choice must be. */
const parameters = {
  host: undefined,
  port: undefined,
  user: undefined,
  password: undefined,
  dbname: undefined,
  options: undefined,
  application_name: undefined,
  sslmode: sslModes,
  sslrootcert: undefined,
  sslcert: undefined,
  sslkey: undefined,
  sslpassword: undefined,
  sslnegotiation: negotiations,
  channel_binding: channelBindings,
  /** JDBC's way to say sslmode=require, which libpq takes too. */
  ssl: ['true'],
  /** `pg`'s way to ask for what is done here anyway. */
  uselibpqcompat: ['true'],
  gssencmode: ['disable', 'prefer'],
  target_session_attrs: ['any'],
} as const satisfies Record<string, readonly string[] | undefined>

/** @throws Error with the rule that the text breaks; nothing of the text is in it */
export function readDatabaseUrl(text: string): DatabaseAddress {
  const [, authority = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  if (hosts.includes(',')) throw severalHosts()
  // A URL with a user and no host is none to anybody but libpq.
  const whole = hosts === '' ? text.replace(/^\w+:\/\/[^/?#]*/, `$&${nowhere}`) : text
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(whole))
    throw new Error('must be postgres://user:password@host:port/database, with special characters percent-encoded')
  const url = new URL(whole)
  const given = readParameters(url)
  const host = given.host ?? orNone(hosts === '' ? '' : decode(url.hostname.replace(/^\[(.*)\]$/, '$1')))
  if (host?.includes(',') === true) throw severalHosts()
  const port = given.port ?? orNone(url.port)
  if (port !== undefined && !/^[1-9]\d{0,4}$/.test(port)) throw new Error('must have one port, a number')
  const ssl = readSsl(given, host)
  const negotiation = (given.sslnegotiation ?? 'postgres') as (typeof negotiations)[number]
  if (negotiation === 'direct' && (ssl.ssl === false || ssl.mayBePlain))
    throw new Error('must have sslmode=require or stronger with sslnegotiation=direct')
  return {
    host,
    port: port === undefined ? undefined : Number(port),
    user: given.user ?? orNone(decode(url.username)),
    password: given.password ?? orNone(decode(url.password)),
    database: given.dbname ?? orNone(decode(url.pathname.slice(1))),
    options: given.options,
    applicationName: given.application_name,
    ...ssl,
    sslnegotiation: negotiation,
    channelBinding: (given.channel_binding ?? 'disable') as ChannelBinding,
  }
}

/** For the list of settings. */
export const databaseUrlSentence =
  'PostgreSQL: `postgres://user:password@host:port/database`. `sslmode`, `sslrootcert`, `sslcert`, `sslkey` and the like work as in libpq; docs/deploy.md lists them.'

/** For settings: the text itself, when it can be read. */
export function checkDatabaseUrl(text: string): string {
  readDatabaseUrl(text)
  return text
}

const nowhere = 'nowhere.invalid'

const severalHosts = () =>
  new Error(
    'must name one host: of a cluster of PostgreSQL the name or the address that follows the primary, or that of a PgBouncer or HAProxy in front of it',
  )

const orNone = (text: string) => (text === '' ? undefined : text)

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('must have % written as %25')
  }
}

type Parameters = Partial<Record<keyof typeof parameters, string>>

function readParameters(url: URL): Parameters {
  const given: Parameters = {}
  for (const [name, value] of url.searchParams) {
    if (!Object.hasOwn(parameters, name))
      throw new Error(`cannot have the parameter ${name}; it may have ${Object.keys(parameters).join(', ')}`)
    const known = name as keyof typeof parameters
    const choices: readonly string[] | undefined = parameters[known]
    if (choices !== undefined && !choices.includes(value)) throw new Error(`must have ${name}=${choices.join(' or ')}`)
    given[known] = value
  }
  return given
}

function readSsl(given: Parameters, host: string | undefined): Pick<DatabaseAddress, 'ssl' | 'mayBePlain'> {
  const asked = given.sslmode ?? (given.ssl === undefined ? 'disable' : 'require')
  // Nobody stands between the two ends of a Unix socket.
  if (asked === 'disable' || host === undefined || host.startsWith('/')) return { ssl: false, mayBePlain: false }
  const authority = given.sslrootcert
  // As libpq does: whoever names an authority wants it asked.
  const mode = asked === 'require' && authority !== undefined ? 'verify-ca' : asked
  const verifies = mode === 'verify-ca' || mode === 'verify-full'
  if (authority === 'system' && asked !== 'verify-full')
    throw new Error('must have sslmode=verify-full with sslrootcert=system')
  if (mode === 'verify-ca' && authority === undefined)
    throw new Error('must have sslrootcert with sslmode=verify-ca: the certificate of the authority')
  if ((given.sslcert === undefined) !== (given.sslkey === undefined))
    throw new Error('must have sslcert and sslkey together')
  const own = authority === undefined || authority === 'system' ? undefined : readFile('sslrootcert', authority)
  const ssl: ConnectionOptions = {
    rejectUnauthorized: verifies,
    ...(own === undefined ? {} : { ca: own }),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    ...(given.sslcert === undefined ? {} : { cert: readFile('sslcert', given.sslcert) }),
    ...(given.sslkey === undefined ? {} : { key: readFile('sslkey', given.sslkey) }),
    ...(given.sslpassword === undefined ? {} : { passphrase: given.sslpassword }),
  }
  return { ssl, mayBePlain: mode === 'allow' || mode === 'prefer' }
}

function readFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(
      `has ${name}=${path}, which cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      {
        cause: error,
      },
    )
  }
}
