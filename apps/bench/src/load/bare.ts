/**
 * The bare statement: what PostgreSQL takes when nothing but the statement is in its way. The domain itself makes the
 * SQL and its parameters, sealed bodies and all, against a pool that writes the batches down instead of sending them;
 * then they go to PostgreSQL one after the other, over one connection.
 */
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { createChat, createPool, messages, type Pool, watchOf } from '@flotilla/chat'
import { parseSecretKeys, silentLogger } from '@flotilla/service'
import { idOf } from '../ids.ts'
import { writeStamp } from './messenger.ts'

export interface BarePlan {
  readonly databaseUrl: string
  readonly masterKeys: string
  /** People, each alone in a group of one. */
  readonly people: number
  readonly batchEntries: number
  readonly textLength: number
}

export interface BareCounts {
  readonly rows: number
  readonly seconds: number
  readonly loadShare: number
}

interface Statement {
  readonly name: string
  readonly text: string
  readonly values: readonly Buffer[]
}

export class Bare {
  private readonly plan: BarePlan
  private readonly pool: Pool
  /** Rows written since the start. */
  private written = 0

  constructor(plan: BarePlan) {
    this.plan = plan
    this.pool = createPool({
      url: plan.databaseUrl,
      connectionsMax: 8,
      logger: silentLogger,
      applicationName: 'bench-bare',
    })
  }

  /** Runs the statement for about so long; a first stretch that does not count says how many batches that takes. */
  async statement(seconds: number, warmSeconds: number): Promise<BareCounts> {
    const trial = await this.replay(await this.record(40))
    const rate = trial.rows / trial.seconds / this.plan.batchEntries
    await this.replay(await this.record(Math.ceil(rate * warmSeconds)))
    return this.replay(await this.record(Math.ceil(rate * seconds)))
  }

  /** Plain rows, `batch` of them by unnest over several connections, seq given in the same statement. */
  async unnest(seconds: number, connections: number, batch: number): Promise<BareCounts> {
    await this.pool.query('CREATE TABLE plain_heads (id uuid PRIMARY KEY, head bigint NOT NULL)')
    await this.pool.query(
      'CREATE TABLE plain (id uuid, seq bigint, sender_id uuid, client_id uuid, body text, PRIMARY KEY (id, seq))',
    )
    const text = writeStamp(0, 0, 0, this.plan.textLength)
    const senders = Array.from({ length: batch }, () => randomUUID())
    const texts = senders.map(() => text)
    let rows = 0
    const startedAt = performance.now()
    const work = async (connection: number) => {
      const id = idOf('direct', connection)
      await this.pool.query('INSERT INTO plain_heads VALUES ($1, 0)', [id])
      while (performance.now() - startedAt < seconds * 1_000) {
        await this.pool.query({
          name: 'plain',
          text: `WITH moved AS (UPDATE plain_heads SET head = head + cardinality($2::uuid[]) WHERE id = $1 RETURNING head)
                 INSERT INTO plain SELECT $1, head - cardinality($2::uuid[]) + n, sender, client, body
                   FROM moved, unnest($2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY AS r (sender, client, body, n)`,
          values: [id, senders, senders, texts],
        })
        rows += batch
      }
    }
    const usage = process.cpuUsage()
    await Promise.all(Array.from({ length: connections }, (_, connection) => work(connection)))
    return countsOf(rows, startedAt, usage)
  }

  /** @returns rows that were written by `statement` since the start */
  rows(): number {
    return this.written
  }

  private async replay(statements: readonly Statement[]): Promise<BareCounts> {
    const client = await this.pool.connect()
    try {
      const usage = process.cpuUsage()
      const startedAt = performance.now()
      for (const statement of statements) {
        const { rows } = await client.query<{ whole: boolean | null }>(statement as never)
        if (rows[0]?.whole !== true) throw new Error('unable to write a batch: it was not taken whole')
      }
      const rows = statements.length * this.plan.batchEntries
      this.written += rows
      return countsOf(rows, startedAt, usage)
    } finally {
      client.release()
    }
  }

  private async record(count: number): Promise<Statement[]> {
    const statements: Statement[] = []
    const chat = await createChat({
      pool: recording(this.pool, statements),
      masterKeys: parseSecretKeys(this.plan.masterKeys),
      logger: silentLogger,
      emit: () => {},
      presumedAbsent: users => users.slice(0, 0),
      // Nobody here is anybody's neighbour: what one person may write in a second is no part of the statement.
      settings: {
        commitEntriesMax: this.plan.batchEntries,
        commitWindowMs: 0,
        messagesBurst: count * this.plan.batchEntries,
        storedBytesPerDayMax: Number.MAX_SAFE_INTEGER,
      },
    })
    const post = (entry: number) => {
      const person = entry % this.plan.people
      const body = { text: writeStamp(person, entry, 0, this.plan.textLength) }
      const input = { conversation: idOf('group', person), clientId: randomUUID(), body }
      return messages.post(chat, idOf('user', person), input)
    }
    // The members are read once, so that from then on all entries of a batch arrive in one turn.
    await Promise.all(
      Array.from({ length: this.plan.people }, (_, person) => chat.memberships.of(idOf('group', person))),
    )
    for (let batch = 0; batch < count; batch++)
      await Promise.all(
        Array.from({ length: this.plan.batchEntries }, (_, nth) => post(batch * this.plan.batchEntries + nth)),
      )
    await chat.close()
    if (statements.length !== count)
      throw new Error(`unable to prepare the batches: the domain made ${statements.length} of ${count}`)
    return statements
  }
}

function countsOf(rows: number, startedAt: number, usage: NodeJS.CpuUsage): BareCounts {
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(usage)
  return { rows, seconds, loadShare: (user + system) / 1_000_000 / seconds }
}

/** Answers batches of entries as if they had been written, and passes on everything else. */
function recording(pool: Pool, statements: Statement[]): Pool {
  const client = Object.assign(new EventEmitter(), {
    query(statement: Statement) {
      if (statement.name !== 'insert-entries') return pool.query(statement as never)
      statements.push(statement)
      // The length of an array of PostgreSQL, as it travels, stands in its fourth word.
      const conversations = statement.values[0]!.readInt32BE(12)
      const zeros = Array.from({ length: conversations }, () => 0)
      const row = { whole: true, ids: null, heads: zeros, versions: zeros.map(() => 1), at: 0 }
      return Promise.resolve({ rows: [row] })
    },
    release() {},
  })
  const recorder = new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return () => Promise.resolve(client)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  watchOf(pool).mind(recorder)
  return recorder
}
