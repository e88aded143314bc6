/**
 * One connection to PostgreSQL, straight or by way of a pooler that hands each transaction another connection.
 *
 * No session has a state that anything relies on: whatever holds for a statement travels with it, in the same round trip
 * and in the same transaction. So it holds behind PgBouncer too, and stays with nobody who gets the connection next. That
 * costs some 7 % of the CPU of a page of history, and nothing that could be measured of a full batch of messages.
 */
import pg from 'pg'
import { type ChannelBinding, type DatabaseAddress, readDatabaseUrl } from './database-url.ts'

/** What a statement may take; the server ends it then. */
export const statementMsMax = 15_000

/** Settings that hold for the statement that they are sent with: a statement itself, with a name. */
export interface LocalSettings {
  readonly name: string
  readonly text: string
}

/** @param settings and their values, beside the time that a statement may take */
function localSettings(name: string, settings: Readonly<Record<string, string>> = {}): LocalSettings {
  const all = Object.entries({ statement_timeout: String(statementMsMax), ...settings })
  return { name, text: `SELECT ${all.map(([key, value]) => `set_config('${key}', '${value}', true)`).join(', ')}` }
}

/** What every statement outside of a transaction carries. A transaction says at its begin what holds in it. */
export const usualSettings = localSettings('usual-settings')

/**
 * For big statements that run all the time: planned once for each connection, not at every call, and never compiled. Either
 * costs more than running them: of raising cursors, planning was a quarter to two fifths.
 */
export const plannedOnce = localSettings('planned-once', { plan_cache_mode: 'force_generic_plan', jit: 'off' })

/** How `pg` is told what an address says. */
function connectionConfig(address: DatabaseAddress): pg.ClientConfig {
  const { host, port, user, password, database, options, ssl, sslnegotiation } = address
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(options === undefined ? {} : { options }),
    ssl,
    ...(sslnegotiation === 'direct' ? { sslnegotiation } : {}),
    keepAlive: true,
  }
}

/** A connection to this address, as it asks for TLS and authentication. Nobody else needs to know its password. */
export function clientClass(address: DatabaseAddress): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      const given = typeof config === 'object' ? config : {}
      super({
        ...given,
        ...connectionConfig(address),
        enableChannelBinding: address.channelBinding !== 'disable',
        ...(address.mayBePlain ? { connection: new PreferringConnection({ ssl: address.ssl, keepAlive: true }) } : {}),
      })
      watchBinding(this.connection, address.channelBinding)
      carrySettings(this)
    }
  }
}

/** One connection beside the pools, for what is done at a start. */
export async function openClient(url: string, applicationName: string): Promise<pg.Client> {
  const address = readDatabaseUrl(url)
  const client = new (clientClass(address))({
    application_name: address.applicationName ?? applicationName,
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    // Without a connection there is nothing to say goodbye to.
    void client.end().catch(() => {})
    throw error
  }
  return client
}

/** TLS where the server has it. On one that has none it goes on without, on the same connection, as libpq does. */
class PreferringConnection extends pg.Connection {
  connect(port: number, host: string): void {
    const own = this as unknown as {
      stream: NodeJS.ReadWriteStream
      attachListeners(stream: unknown): void
    }
    // The base class is typed without its methods.
    ;(pg.Connection.prototype as unknown as { connect(port: number, host: string): void }).connect.call(
      this,
      port,
      host,
    )
    const [answered] = own.stream.listeners('data') as ((bytes: Buffer) => void)[]
    own.stream.removeAllListeners('data')
    own.stream.once('data', (bytes: Buffer) => {
      if (bytes.toString('latin1') !== 'N') return answered?.call(own.stream, bytes)
      own.attachListeners(own.stream)
      this.emit('sslconnect')
    })
  }
}

/** `channel_binding=require`: a server that does not prove that it is the end of the TLS gets no password. */
function watchBinding(connection: pg.Connection, binding: ChannelBinding): void {
  if (binding !== 'require') return
  const refuse = () => {
    // What else is in the same packet must not make it a connection.
    connection.removeAllListeners('readyForQuery')
    connection.emit('error', new Error('unable to connect: channel_binding=require, and the server offers none'))
    connection.stream.destroy()
  }
  let bound = false
  connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    bound = mechanisms.includes('SCRAM-SHA-256-PLUS')
    if (!bound) refuse()
  })
  for (const weaker of ['authenticationCleartextPassword', 'authenticationMD5Password'])
    connection.prependListener(weaker, refuse)
  connection.prependListener('authenticationOk', () => {
    if (!bound) refuse()
  })
}

/** What `pg`'s query does beside what its types say. */
interface SentQuery {
  readonly name: string | undefined
  callback: ((error: Error | null, result: unknown) => void) | undefined
  requiresPreparation(): boolean
  submit(connection: pg.Connection): Error | null
  handleDataRow(row: unknown): void
  handleCommandComplete(message: unknown, connection: pg.Connection): void
}
const Query = pg.Query as unknown as new (config: unknown, values?: unknown, callback?: unknown) => SentQuery

interface Protocol {
  readonly stream: { cork(): void; uncork(): void; destroy(error: Error): void }
  readonly parsedStatements: Readonly<Record<string, string>>
  bind(config: { statement: string }): void
  execute(config: { portal: string }): void
}

/** Goes out behind its settings: one round trip, one transaction, and what the settings answer is passed over. */
class SettledQuery extends Query {
  readonly #client: pg.Client
  readonly #settings: LocalSettings
  #answersPassedOver = 0

  constructor(client: pg.Client, settings: LocalSettings, ...query: readonly [unknown, unknown, unknown]) {
    super(...query)
    this.#client = client
    this.#settings = settings
  }

  override submit(connection: pg.Connection): Error | null {
    const { stream, parsedStatements, bind, execute } = connection as unknown as Protocol
    const { name } = this.#settings
    const alone = !this.requiresPreparation() || this.#client.getTransactionStatus() !== 'I'
    // A connection learns its settings by their name before anything else.
    if (alone || parsedStatements[name] === undefined) return super.submit(connection)
    stream.cork()
    try {
      bind.call(connection, { statement: name })
      execute.call(connection, { portal: '' })
      this.#answersPassedOver = 1
      const refused = super.submit(connection)
      // What was sent has no end now, and the connection no use.
      if (refused !== null) stream.destroy(refused)
      return refused
    } finally {
      stream.uncork()
    }
  }

  override handleDataRow(row: unknown): void {
    if (this.#answersPassedOver === 0) super.handleDataRow(row)
  }

  override handleCommandComplete(message: unknown, connection: pg.Connection): void {
    if (this.#answersPassedOver > 0) this.#answersPassedOver--
    else super.handleCommandComplete(message, connection)
  }
}

/** Sends every query of this connection with its settings. */
function carrySettings(client: pg.Client): void {
  const send = client.query.bind(client) as (query: unknown, callback?: unknown) => unknown
  const query = (config: unknown, values: unknown, callback: unknown) => {
    if (typeof config === 'object' && config !== null && 'submit' in config) return send(config, values)
    const settings = (config as { settings?: LocalSettings }).settings ?? usualSettings
    const made = new SettledQuery(client, settings, config, values, callback)
    if (made.callback !== undefined) return send(made)
    return new Promise((resolve, reject) => {
      made.callback = (error, result) => (error ? reject(error) : resolve(result))
      send(made)
    }).catch((error: Error) => {
      // Otherwise it would lead to the socket, not to whoever asked.
      Error.captureStackTrace(error)
      throw error
    })
  }
  client.query = query as typeof client.query
}
