/**
 * Bodies at rest: sealed under a data key, by the cipher that goes with it (ciphers.ts); data keys lie in the database
 * wrapped by a master key that only configuration knows. A sealed body is bound to its conversation, sender, client id and
 * kind, so that a row copied to another place does not open. The seq cannot be bound: it is not known before the insert.
 *
 * Other secrets (of jobs, of second factors) are sealed the same way, bound to a name of their own. What is only ever
 * compared gets a MAC instead: a stolen copy of the store then does not tell six digits.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Pool } from 'pg'
import { aesGcm, type Cipher, cipherNumbers, cipherOf, xchacha } from './ciphers.ts'

/** A master key by its id. The first of a set wraps new data keys, all of them unwrap. */
export interface MasterKey {
  readonly id: string
  readonly key: Buffer
}

/** What a body is bound to. */
export interface SealPlace {
  readonly conversation: string
  readonly sender: string
  readonly clientId: string
  readonly kind: number
}

export interface Sealed {
  readonly keyId: number
  readonly body: Buffer
}

export interface Sealer {
  /** @param place of an entry, or the name that another secret is bound to: `job <id>` */
  seal(place: SealPlace | string, plain: string): Sealed
  /** @throws Error when the key was not made ready or the body does not belong to the place */
  open(place: SealPlace | string, keyId: number, body: Buffer): string
  /** A MAC that only this deployment can make. @param bound what it is about: `code <id>` */
  mac(bound: string, text: string): Buffer
  /** Whether a MAC was made of this, also under a master key of before. Takes the same time whatever the answer. */
  isMac(bound: string, text: string, mac: Buffer): boolean
  /**
   * The store is another one than before, which may lack the key in use, or have another under its number: puts it back,
   * or takes another. Tries until it could.
   */
  keepKey(): void
  /**
   * Loads the data keys that are not here yet. Call it before open with the ids of the rows.
   * @param client of the transaction, within one: transactions that have all connections of the pool would otherwise wait
   *   for another one for ever
   */
  ready(keyIds: Iterable<number>, client?: Pick<Pool, 'query'>): Promise<void>
}

/** A data key is shared by all processes that start within a day, and given up after so many bodies of one process. */
const dataKeyBodiesMax = 2 ** 24
const dataKeyAgeMsMax = 24 * 3_600_000

/** Between two attempts to put a key back that the store has lost. */
const putBackPauseMs = 500

const wrapBound = (masterKeyId: string) => `data-key ${masterKeyId}`
const bodyBound = (place: SealPlace | string) =>
  typeof place === 'string' ? `secret ${place}` : `${place.conversation}${place.sender}${place.clientId}${place.kind}`

function unwrap(masters: readonly MasterKey[], row: Wrapped): Buffer {
  const master = masters.find(one => one.id === row.master_key_id)
  if (master === undefined)
    throw new Error(`unable to open data key ${row.id}: master key ${row.master_key_id} is not configured`)
  return aesGcm.open(master.key, wrapBound(master.id), row.wrapped)
}

interface Wrapped {
  id: number
  master_key_id: string
  wrapped: Buffer
}

interface DataKeyRow extends Wrapped {
  cipher: number
}

interface DataKey {
  readonly cipher: Cipher
  readonly key: Buffer
}

const toDataKey = (masters: readonly MasterKey[], row: DataKeyRow): DataKey => ({
  cipher: cipherOf(row.cipher),
  key: unwrap(masters, row),
})

/**
 * A process of the version before opens XChaCha20-Poly1305 not at all. So a store in which it has made keys gets such keys
 * only a day after the migration; by then a roll-out is over.
 */
const newCipherIsKnown = `
SELECT applied_at < now() - interval '1 day'
       OR NOT EXISTS (SELECT FROM data_keys WHERE created_at < applied_at) AS known
  FROM schema_migrations WHERE name = '0012-sealing.sql'`

/** Opens the sealer: takes the youngest data key if it is of today, else makes one. */
// oxlint-disable-next-line max-lines-per-function -- the keys that are open and the loads under way are one state that nothing else may see
export async function createSealer(
  pool: Pool,
  masters: readonly MasterKey[],
  steady: () => number = () => performance.now(),
): Promise<Sealer> {
  const first = masters[0]
  if (first === undefined) throw new Error('unable to seal bodies: no master key is configured')
  const keys = new Map<number, DataKey>()
  const macKeys = masters.map(master => Buffer.from(hkdfSync('sha256', master.key, '', 'mac', 32)))
  const macWith = (key: Buffer, bound: string, text: string) =>
    createHmac('sha256', key).update(`${bound}\n${text}`).digest()
  let current = await takeCurrent()
  let renewing = false

  async function takeCurrent() {
    const found = await pool.query<DataKeyRow & { age_ms: number }>(
      `SELECT id, master_key_id, wrapped, cipher, (extract(epoch FROM now() - created_at) * 1000)::float8 AS age_ms
         FROM data_keys WHERE master_key_id = $1 AND cipher = ANY($2) ORDER BY id DESC LIMIT 1`,
      [first!.id, cipherNumbers],
    )
    const row = found.rows[0]
    if (row !== undefined && row.age_ms < dataKeyAgeMsMax) {
      const { id, wrapped } = row
      const dataKey = toDataKey(masters, row)
      keys.set(id, dataKey)
      return { ...dataKey, id, bodies: 0, until: steady() + dataKeyAgeMsMax - row.age_ms, wrapped }
    }
    return makeCurrent()
  }

  async function makeCurrent() {
    const key = randomBytes(32)
    const wrapped = aesGcm.seal(first!.key, wrapBound(first!.id), key)
    const asked = await pool.query<{ known: boolean }>(newCipherIsKnown)
    const cipher = asked.rows[0]?.known === true ? xchacha : aesGcm
    const made = await pool.query<{ id: number }>(
      'INSERT INTO data_keys (master_key_id, wrapped, cipher) VALUES ($1, $2, $3) RETURNING id',
      [first!.id, wrapped, cipher.number],
    )
    const id = made.rows[0]!.id
    keys.set(id, { cipher, key })
    return { id, cipher, key, bodies: 0, until: steady() + dataKeyAgeMsMax, wrapped }
  }

  function keepKey(): void {
    putBack().catch(() => setTimeout(keepKey, putBackPauseMs).unref())
  }

  async function putBack(): Promise<void> {
    const { id, wrapped, cipher, key } = current
    // Of the others the store will say what they are.
    for (const other of keys.keys()) if (other !== id) keys.delete(other)
    const put = await pool.query(
      `INSERT INTO data_keys (id, master_key_id, wrapped, cipher) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [id, first!.id, wrapped, cipher.number],
    )
    if (put.rowCount === 1) return
    const found = await pool.query<Wrapped>('SELECT id, master_key_id, wrapped FROM data_keys WHERE id = $1', [id])
    if (unwrap(masters, found.rows[0]!).equals(key)) return
    current = await makeCurrent()
    keys.delete(id)
  }

  /** Renewed in the background: the old key stays good until the new one is there. */
  function renew() {
    renewing = true
    makeCurrent()
      .then(
        made => {
          current = made
        },
        () => {
          current.until = steady() + 60_000
        },
      )
      .finally(() => {
        renewing = false
      })
  }

  return {
    seal(place, plain) {
      if (!renewing && (++current.bodies > dataKeyBodiesMax || steady() > current.until)) renew()
      return { keyId: current.id, body: current.cipher.seal(current.key, bodyBound(place), plain) }
    },
    open(place, keyId, body) {
      const dataKey = keys.get(keyId)
      if (dataKey === undefined) throw new Error(`unable to open a body: data key ${keyId} was not made ready`)
      return dataKey.cipher.open(dataKey.key, bodyBound(place), body).toString('utf8')
    },
    mac: (bound, text) => macWith(macKeys[0]!, bound, text),
    isMac(bound, text, mac) {
      const made = macKeys.map(key => macWith(key, bound, text))
      return made.filter(one => one.length === mac.length && timingSafeEqual(one, mac)).length > 0
    },
    keepKey,
    async ready(keyIds, client = pool) {
      const missing = new Set<number>()
      for (const id of keyIds) if (!keys.has(id)) missing.add(id)
      if (missing.size === 0) return
      const found = await client.query<DataKeyRow>(
        'SELECT id, master_key_id, wrapped, cipher FROM data_keys WHERE id = ANY($1)',
        [[...missing]],
      )
      for (const row of found.rows) keys.set(row.id, toDataKey(masters, row))
    },
  }
}

/**
 * After a rotation of the master key: wraps every data key anew under the first of the set. The bodies stay as they are.
 * @returns how many data keys were wrapped anew
 */
export async function rewrapDataKeys(pool: Pool, masters: readonly MasterKey[]): Promise<number> {
  const first = masters[0]
  if (first === undefined) throw new Error('unable to wrap data keys: no master key is configured')
  const rows = await pool.query<Wrapped>('SELECT id, master_key_id, wrapped FROM data_keys WHERE master_key_id <> $1', [
    first.id,
  ])
  for (const row of rows.rows) {
    const wrapped = aesGcm.seal(first.key, wrapBound(first.id), unwrap(masters, row))
    await pool.query('UPDATE data_keys SET master_key_id = $2, wrapped = $3 WHERE id = $1 AND master_key_id = $4', [
      row.id,
      first.id,
      wrapped,
      row.master_key_id,
    ])
  }
  return rows.rows.length
}
