import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { open } from '../accounts/sessions/open.ts'
import { changeUsername } from '../accounts/change-username.ts'
import { checkNewUsername, create } from '../accounts/registration/create.ts'
import { checkDisplayName } from './display-name.ts'
import { eraseDue } from '../lifecycle/erase.ts'
import { heldNamesMax } from '../accounts/registration/held-names.ts'
import { lookalikeColumn, lookalikeOf } from '../text/lookalike.ts'
import { isReserved } from './reserved-names.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext

const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const settings = {
  deploymentName: 'Harbour Chat',
  reservedNames: ['harbour master', 'hope'],
  erasureSettleMs: 0,
}
const taken = { code: 'username_taken' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

async function person(username: string) {
  const { id } = await create(ctx, { username, client })
  const { session } = await open(ctx, id, client, 'password')
  return { id, rename: (to: string) => changeUsername(ctx, id, { username: to, session, client }) }
}

describe('a name that is reserved', () => {
  test.each([
    'admin',
    'ADMIN',
    'Admin',
    'ADMlN',
    'adm1n',
    'admin42',
    'support_team',
    'supp0rt',
    'post.master',
    'no-reply',
    'mailer-daemon',
    'harbourchat',
    'harbour-master',
    'harbour-chat-support',
    'deleted-0a1b2c3d4e5f',
  ])('%s is nobody’s username', username => {
    expect(() => checkNewUsername(ctx, username)).toThrow(expect.objectContaining({ code: 'field_invalid' }))
  })

  test.each(['ada', 'badmin', 'max-support', 'harbour', 'masterpost', 'helper', 'deletedscene', 'rooty', 'al1ce'])(
    '%s is not',
    username => expect(checkNewUsername(ctx, username)).toBe(username),
  )

  test.each([
    ['аdmin', 'with a Cyrillic а'],
    ['һоре', 'in Cyrillic alone'],
    ['𝐀𝐝𝐦𝐢𝐧', 'in letters for formulas'],
    ['Ａｄｍｉｎ', 'wide'],
    ['A d m i n', 'spaced'],
    ['· Support ·', 'with signs around it'],
    ['The Harbour Chat Team Support', 'decorated'],
    ['Deleted person', 'as those are called who are gone'],
    ['Àdmin\u034f', 'with what cannot be seen'],
  ])('%s (%s) is nobody’s display name', name => {
    expect(() => checkDisplayName(ctx, name)).toThrow(expect.objectContaining({ code: 'field_invalid' }))
  })

  test('is not given to whoever has it for an address either', async () => {
    expect((await create(ctx, { email: 'postmaster@example.org' })).username).toMatch(/^user\d+$/)
    expect(isReserved(ctx, 'postmaster')).toBe(true)
  })
})

describe('a display name', () => {
  test.each([
    'Ada Lovelace',
    'Иван Смирнов',
    'Δημήτρης',
    'DJ Иван',
    '田中さん',
    'X田中',
    '김철수 K',
    'علی‌رضا',
    'नेहा',
    'ശ്രീ‍ലങ്ക',
    'Zoë O’Neill-Łukasz 3rd',
    '👩🏽‍🚀 Ada',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿 Ann ❤️',
    'Nguyễn Thị Ánh',
    'ሰላም',
  ])('%s is one', name => expect(checkDisplayName(ctx, name)).toBe(name))

  test.each([
    ['Pаul', 'one script within a word'],
    ['Κevin', 'one script within a word'],
    ['Ꭺda', 'one script within a word'],
    ['nada\u202eevol', 'no marks of direction'],
    ['Ada\u200f', 'no marks of direction'],
    ['A\u00adda', 'no invisible characters'],
    ['Ada\u200b', 'no invisible characters'],
    ['A\u200dda', 'no invisible characters'],
    ['🏴\u{e0061}\u{e0062} Ada', 'no invisible characters'],
    ['Ada\u0301\u0302\u0303\u0304\u0306', 'at most 4 marks on a letter'],
  ])('%j is none: %s', (name, rule) => {
    expect(() => checkDisplayName(ctx, name)).toThrow(
      expect.objectContaining({ code: 'field_invalid', detail: { field: 'displayName', rule } }),
    )
  })
})

describe('a username that somebody has', () => {
  test('keeps those that look like it from others, also from two at once', async () => {
    await person('pau1.mark')
    for (const name of ['paul.mark', 'PauI.mark', 'paul.rnark', 'PAU1.MARK'])
      await expect(create(ctx, { username: name })).rejects.toMatchObject(taken)
    const two = await person('two')
    await expect(two.rename('paul.rnark')).rejects.toMatchObject(taken)
    await create(ctx, { username: 'paula.mark' })
    // One’s own in another spelling is no conflict.
    await two.rename('TW0')
  })

  test('looks the same to the index as to the table of Unicode', async () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789._-'
    for (const text of [letters, letters.toUpperCase(), 'PauI', 'rnodern', 'MOM-0l1I'])
      expect(await ctx.pool.query(`SELECT ${lookalikeColumn('$1::text')} AS key`, [text])).toMatchObject({
        rows: [{ key: lookalikeOf(text) }],
      })
    const index = await ctx.pool.query<{ definition: string }>(
      `SELECT indexdef AS definition FROM pg_indexes WHERE indexname = 'users_username_lookalike_idx'`,
    )
    expect(index.rows[0]!.definition).toContain("'01I'::text, 'Oll'::text")
  })
})

describe('a username that was given up', () => {
  test('is kept for its owner for a time, and only the last few', async () => {
    const ada = await person('ada.first')
    await ada.rename('ada.second')
    await expect(create(ctx, { username: 'ADA.first' })).rejects.toMatchObject(taken)
    await ada.rename('ada.first')
    for (let turn = 0; turn < heldNamesMax; turn++) await ada.rename(`ada.turn.${'abcdef'[turn]}`)
    await ada.rename('ada.last')
    await expect(create(ctx, { username: 'ada.turn.a' })).rejects.toMatchObject(taken)
    await create(ctx, { username: 'ada.second' })
    await ctx.pool.query(`UPDATE held_names SET freed_at = now() - interval '91 days'`)
    await create(ctx, { username: 'ada.turn.a' })
  })

  test('by erasure is kept from everybody, and by a hash alone', async () => {
    const before = await person('gone.before')
    await before.rename('gone.later')
    await ctx.pool.query(`UPDATE users SET delete_after = now() - interval '1 second' WHERE id = $1`, [before.id])
    await eraseDue(ctx, 10)
    for (const username of ['gone.later', 'gone.before', 'g0ne.later'])
      await expect(create(ctx, { username })).rejects.toMatchObject(taken)
    const { rows } = await ctx.pool.query<object>('SELECT * FROM held_names WHERE user_id IS NULL')
    expect(rows).toHaveLength(2)
    expect(JSON.stringify(rows)).not.toContain('gone')
    await ctx.pool.query(`UPDATE held_names SET freed_at = now() - interval '91 days'`)
    await create(ctx, { username: 'gone.later' })
  })
})
