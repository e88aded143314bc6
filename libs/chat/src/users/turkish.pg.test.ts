/** A database that folds as Turkey does: I to ı, İ to i. Names and addresses mean the same in it as everywhere. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import pg from 'pg'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ask } from '../accounts/codes/ask.ts'
import type { ChatContext } from '../context.ts'
import { signIn } from '../accounts/sessions/sign-in.ts'
import { listMigrations, migrate, migrationsFolder } from '../store/migrate.ts'
import { create } from '../accounts/registration/create.ts'
import { find } from './find.ts'
import { refold } from './refold.ts'
import { registerUser as register } from '../accounts/registration/register.testbed.ts'
import { search } from '../people/search.ts'
import { changeSettings } from './settings.ts'

const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'TR', agent: 'Firefox' }
const password = 'a long enough phrase'
let database: TestDatabase
let url: string
/** Before the database goes. */
let closes: (() => Promise<unknown>)[]

beforeEach(async () => {
  closes = []
  database = await testDatabase({ key: 'empty', fill: () => Promise.resolve() })
  const admin = new pg.Pool({ connectionString: database.url, max: 1 })
  const name = `${new URL(database.url).pathname.slice(1)}_tr`
  await admin.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr' STRATEGY file_copy`,
  )
  const place = new URL(database.url)
  place.pathname = name
  url = place.href
  return async () => {
    for (const close of closes) await close()
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
    await database.drop()
  }
})

function openPool(): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  // The database may go before a connection has.
  pool.on('error', () => {})
  closes.push(() => pool.end())
  return pool
}

async function openChat(): Promise<ChatContext> {
  const chat: TestChat = await openTestChat(url)
  closes.push(() => chat.close())
  return chat.ctx
}

/** The migrations that the version before had. */
async function migrateBefore(): Promise<void> {
  const folder = makeFolder('migrations')
  onTestFinished(() => dropFolder(folder))
  for (const { name } of listMigrations().slice(0, 3)) copyFileSync(join(migrationsFolder(), name), join(folder, name))
  await migrate(url, { folder })
}

test('one name and one address have one account, in whatever case they are written', async () => {
  await migrate(url)
  const ctx = await openChat()
  const folds = await ctx.pool.query<{ folded: string }>(`SELECT lower('IRIS') AS folded`)
  expect(folds.rows[0]!.folded).toBe('ırıs')

  const iris = await register(ctx, { username: 'Iris', password })
  const info = await create(ctx, { username: 'info', email: 'info@example.org' })
  await expect(register(ctx, { username: 'IRIS', password })).rejects.toMatchObject({ code: 'username_taken' })
  await expect(create(ctx, { username: 'INFO' })).rejects.toMatchObject({ code: 'username_taken' })
  await expect(create(ctx, { email: 'INFO@EXAMPLE.ORG' })).rejects.toMatchObject({ code: 'email_taken' })
  expect((await find(ctx, 'IRIS')).id).toBe(iris.id)
  expect(await signIn(ctx, { username: 'iRIS', password, client })).toMatchObject({ user: { id: iris.id } })
  await changeSettings(ctx, info.id, { emailDiscoverability: 'everyone' })
  expect((await search(ctx, iris.id, 'INFO@EXAMPLE.ORG')).map(user => user.id)).toEqual([info.id])
  expect((await search(ctx, info.id, 'IRIS')).map(user => user.id)).toEqual([iris.id])

  for (const email of ['II@EXAMPLE.ORG', 'ii@example.org', 'iI@Example.org', 'Ii@example.ORG'])
    await ask(ctx, { purpose: 'register', email })
  const open = await ctx.pool.query(`SELECT FROM codes`)
  expect(open.rowCount).toBe(ctx.settings.codesOpenMax)
})

test('accounts that the version before let have one name stop the migration, which names them', async () => {
  await migrateBefore()
  const pool = openPool()
  await pool.query(
    `INSERT INTO users (id, username, display_name) VALUES
       ('00000000-0000-4000-8000-000000000001', 'iris', 'x'), ('00000000-0000-4000-8000-000000000002', 'IRIS', 'x')`,
  )
  await expect(migrate(url)).rejects.toThrow(/several accounts have one name or address: iris \(0.*1 and 0.*2\)/)
  await pool.query(`UPDATE users SET username = 'iris2' WHERE username = 'IRIS'`)
  expect(await migrate(url)).toContain('0004-text.sql')
})

test('what the version before wrote is found once it is folded anew, also what it writes meanwhile', async () => {
  await migrateBefore()
  const pool = openPool()
  const addOld = (username: string, name: string, email: string | null) =>
    pool.query(
      `INSERT INTO users (id, username, display_name, search_text, email)
       VALUES (gen_random_uuid(), $1::text, $2, $1 || ' old', $3)`,
      [username, name, email],
    )
  await addOld('sakura', 'サクラ', 'JOSÉ@BÜCHER.example')
  await addOld('other', 'Other', 'jose\u0301@xn--bcher-kva.example')
  await migrate(url)
  const ctx = await openChat()
  const { id: me } = await create(ctx, { username: 'me.myself' })
  await refold(ctx)
  expect((await search(ctx, me, 'さくら')).map(user => user.username)).toEqual(['sakura'])
  const addresses = await pool.query<{ email: string }>('SELECT email FROM users WHERE email IS NOT NULL ORDER BY 1')
  // Of two spellings of one address that two accounts have verified, one is taken over; the other waits for an operator.
  expect(addresses.rows.map(row => row.email)).toContain('josé@xn--bcher-kva.example')
  expect(addresses.rows).toHaveLength(2)

  await addOld('tanaka', '田中', null)
  expect(await search(ctx, me, '田')).toEqual([])
  await refold(ctx)
  expect((await search(ctx, me, '田')).map(user => user.username)).toEqual(['tanaka'])
  expect((await pool.query(`SELECT FROM users WHERE search_text NOT LIKE '~%'`)).rowCount).toBe(0)
})
