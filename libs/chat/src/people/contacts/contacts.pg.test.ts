import { randomUUID } from 'node:crypto'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { block } from '../blocks/index.ts'
import { type ChatContext, chatDefaults } from '../../context.ts'
import { addMembers } from '../../log/conversations/add-members.ts'
import { createDirect } from '../../log/conversations/create-direct.ts'
import { createGroup } from '../../log/conversations/create-group.ts'
import { list as notified } from '../../notices/notifications/index.ts'
import { accept, cancel, list, reject, remove, request, requestByEmail, requests } from './index.ts'

const { contactsMax, contactRequestsSentMax: sentRequestsMax, contactRequestsReceivedMax } = chatDefaults
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  chat.emitted.length = 0
})

const refused = (promise: Promise<unknown>, code: string, field?: string) =>
  expect(promise).rejects.toMatchObject({ code, ...(field === undefined ? {} : { detail: { field } }) })
const told = () =>
  chat.emitted.filter(one => one.event.event.startsWith('contact.')).map(({ to, event }) => ({ to, ...event }))

async function ask(from: string, to: string, note?: string): Promise<string> {
  const asked = await request(ctx, from, { user: to, note })
  if (!('request' in asked)) throw new Error('they are contacts')
  return asked.request.id
}
const befriend = async (one: string, other: string) => accept(ctx, other, await ask(one, other))
const contactsOf = async (user: string) => (await list(ctx, user, { limit: 200 })).contacts.map(one => one.user.id)
const openOf = async (user: string, direction: 'sent' | 'received') =>
  (await requests(ctx, user, { direction, limit: 100 })).requests.map(one => one.id)

async function crowdOfContacts(user: string, count: number) {
  await ctx.pool.query(
    `WITH crowd AS (
       INSERT INTO users (id, username, display_name) SELECT id, 'c' || id, 'Crowd'
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::int)) g RETURNING id
     ) INSERT INTO contacts (user_id, contact_id) SELECT $1, id FROM crowd`,
    [user, count],
  )
}

async function setColumn(user: string, set: string) {
  await ctx.pool.query(`UPDATE users SET ${set} WHERE id = $1`, [user])
}

describe('a request', () => {
  test('is listed on both sides and heard live by both', async () => {
    const id = await ask(alice, bob, ' From the harbour\r\nof yesterday ')
    const expected = {
      id,
      from: expect.objectContaining({ id: alice }),
      to: expect.objectContaining({ id: bob }),
      note: 'From the harbour\nof yesterday',
      at: expect.any(Number),
    }
    expect(await requests(ctx, alice, { direction: 'sent', limit: 10 })).toEqual({ requests: [expected] })
    expect(await requests(ctx, bob, { direction: 'received', limit: 10 })).toEqual({ requests: [expected] })
    expect(await openOf(alice, 'received')).toEqual([])
    expect(told()).toEqual([{ to: [alice, bob], event: 'contact.requested', request: expected }])
  })

  test('is accepted: each has the other, both hear it, and who had asked is notified', async () => {
    const id = await ask(alice, bob)
    chat.emitted.length = 0
    expect(await accept(ctx, bob, id)).toEqual({ user: expect.objectContaining({ id: alice }), at: expect.any(Number) })
    expect([await contactsOf(alice), await contactsOf(bob)]).toEqual([[bob], [alice]])
    expect(await openOf(alice, 'sent')).toEqual([])
    expect(told()).toMatchObject([
      { to: [alice], event: 'contact.accepted', request: id, user: { id: bob } },
      { to: [bob], event: 'contact.accepted', request: id, user: { id: alice } },
    ])
    const stored = await ctx.pool.query(
      'SELECT user_id, kind, actor_id, detail FROM notifications WHERE user_id = ANY($1) ORDER BY kind',
      [[alice, bob]],
    )
    expect(stored.rows).toEqual([{ user_id: alice, kind: 'contact_accepted', actor_id: bob, detail: { request: id } }])
  })

  test.each([
    ['accepted', (id: string) => accept(ctx, bob, id)],
    ['accepted by asking back', () => request(ctx, bob, { user: alice })],
    ['rejected', (id: string) => reject(ctx, bob, id)],
    ['cancelled', (id: string) => cancel(ctx, alice, id)],
    ['blocked away by whom it was for', () => block(ctx, bob, alice)],
    ['blocked away by who sent it', () => block(ctx, alice, bob)],
  ] as const)('that is %s waits among the notifications no more', async (_, end) => {
    const id = await ask(alice, bob)
    const [waiting] = (await notified(ctx, bob, { limit: 10 })).notifications
    expect(waiting).toMatchObject({ kind: 'contact_request', detail: { request: id } })
    await end(id)
    expect((await notified(ctx, bob, { limit: 10 })).notifications).toEqual([])
    const heard = chat.emitted.filter(one => one.event.event === 'notification.read')
    expect(heard).toEqual([
      { class: 'signal', to: [bob], event: { event: 'notification.read', notification: waiting!.id, unread: 0 } },
    ])
  })

  test.each([
    ['rejected by whom it was for', reject, () => bob, 'contact.declined'],
    ['cancelled by who sent it', cancel, () => alice, 'contact.cancelled'],
  ] as const)('is %s, and both hear it', async (_, end, who, event) => {
    const id = await ask(alice, bob)
    chat.emitted.length = 0
    await end(ctx, who(), id)
    expect(told()).toMatchObject([{ event, request: id }])
    expect([...(told()[0]!.to as string[])].sort()).toEqual([alice, bob].sort())
    expect(await contactsOf(alice)).toEqual([])
    await refused(end(ctx, who(), id), 'request_unknown')
    // They may ask again.
    await ask(alice, bob)
  })

  test('is nobody else’s to decide', async () => {
    const id = await ask(alice, bob)
    for (const [verb, who] of [
      [accept, alice],
      [accept, carol],
      [reject, alice],
      [reject, carol],
      [cancel, bob],
      [cancel, carol],
    ] as const)
      await refused(verb(ctx, who, id), 'request_unknown')
    expect(await openOf(bob, 'received')).toEqual([id])
  })

  test('to who has asked already is an acceptance', async () => {
    const id = await ask(bob, alice)
    chat.emitted.length = 0
    expect(await request(ctx, alice, { user: bob })).toEqual({
      contact: { user: expect.objectContaining({ id: bob }), at: expect.any(Number) },
    })
    expect(await contactsOf(bob)).toEqual([alice])
    expect(told()).toMatchObject([
      { to: [bob], event: 'contact.accepted', request: id, user: { id: alice } },
      { to: [alice], event: 'contact.accepted', request: id, user: { id: bob } },
    ])
  })

  test('is refused to oneself, to nobody, to the erased, twice, and to a contact', async () => {
    await refused(request(ctx, alice, { user: alice }), 'field_invalid', 'user')
    await refused(request(ctx, alice, { user: randomUUID() }), 'user_unknown', 'user')
    await setColumn(carol, 'erased_at = now()')
    await refused(request(ctx, alice, { user: carol }), 'user_unknown', 'user')
    const id = await ask(alice, bob)
    await refused(request(ctx, alice, { user: bob }), 'request_exists', 'user')
    await accept(ctx, bob, id)
    await refused(request(ctx, alice, { user: bob, field: 'username' }), 'contact_exists', 'username')
    await refused(request(ctx, alice, { user: carol, note: 'x'.repeat(301) }), 'field_invalid', 'note')
    await refused(request(ctx, alice, { user: carol, note: 'a\u0000b' }), 'field_invalid', 'note')
  })

  test('is one of so many at the most, and contacts have a limit too', async () => {
    const crowd = await makeUsers(ctx.pool, sentRequestsMax)
    await ctx.pool.query(
      'INSERT INTO contact_requests (id, from_id, to_id) SELECT gen_random_uuid(), $1, id FROM unnest($2::uuid[]) AS c (id)',
      [alice, crowd],
    )
    await refused(request(ctx, alice, { user: bob }), 'limit_reached')
    // Whoever has asked the caller does not count: it makes no request.
    await ask(bob, alice)
    expect(await request(ctx, alice, { user: bob })).toHaveProperty('contact')
    await cancel(ctx, alice, (await openOf(alice, 'sent'))[0]!)
    const id = await ask(alice, carol)
    await crowdOfContacts(carol, contactsMax)
    await refused(accept(ctx, carol, id), 'limit_reached')
    expect(await openOf(carol, 'received')).toEqual([id])
  })

  test('is listed page by page, the latest first', async () => {
    const others = await makeUsers(ctx.pool, 5)
    const ids: string[] = []
    for (const other of others) ids.push(await ask(other, alice))
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await requests(ctx, alice, { direction: 'received', limit: 2, after })
      seen.push(...page.requests.map(one => one.id))
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(ids.toReversed())
    await refused(requests(ctx, alice, { direction: 'sent', limit: 2, after: 'nonsense' }), 'field_invalid', 'after')
  })
})

describe('a request by address', () => {
  const asked = (email: string, from = ctx) => requestByEmail(from, alice, { email, note: 'hi' })
  const address = () => `${randomUUID()}@example.org`

  /** The statements that it costs the store. */
  async function costOf(work: (from: ChatContext) => Promise<unknown>): Promise<string[]> {
    const texts: string[] = []
    type Query = (given: string | { text: string }, values?: unknown[]) => unknown
    const watch = (target: object): Query => {
      const query = (target as { query: Query }).query.bind(target)
      return (given, values) => {
        texts.push(typeof given === 'string' ? given : given.text)
        return query(given, values)
      }
    }
    const connect = async () => {
      const client = await ctx.pool.connect()
      return { query: watch(client), release: (destroy?: boolean) => client.release(destroy) }
    }
    await work({ ...ctx, pool: { query: watch(ctx.pool), connect } as unknown as ChatContext['pool'] })
    return [...texts]
  }

  test('asks whoever lets themselves be found by it', async () => {
    const email = address()
    await setColumn(bob, `email = '${email}', found_by_email_to = 1`)
    expect(await asked(email.toUpperCase())).toBeUndefined()
    expect(await openOf(bob, 'received')).toHaveLength(1)
    await until(() => told().length > 0, { what: 'the request is told' })
    expect(told()).toMatchObject([{ to: [alice, bob], event: 'contact.requested', request: { note: 'hi' } }])
    // To ask again is answered the same way.
    expect(await asked(email)).toBeUndefined()
    expect(await openOf(bob, 'received')).toHaveLength(1)
  })

  test.each([
    ['nobody', async () => {}],
    ['somebody who is not found by it', () => setColumn(bob, 'found_by_email_to = 3')],
    ['somebody whom contacts find by it', () => setColumn(bob, 'found_by_email_to = 2')],
    ['somebody who has said nothing about it', async () => {}],
    [
      'somebody who has blocked the caller',
      () => setColumn(bob, 'found_by_email_to = 1').then(() => block(ctx, bob, alice)),
    ],
    ['somebody who is a contact', () => befriend(bob, alice)],
    ['the caller', () => setColumn(alice, `email = 'alice-${alice}@example.org'`)],
  ])('of %s is answered the same, and leaves no request', async (who, prepare) => {
    await prepare()
    const email = who === 'the caller' ? `alice-${alice}@example.org` : address()
    if (who !== 'nobody' && who !== 'the caller') await setColumn(bob, `email = '${email}'`)
    expect(await asked(email)).toBeUndefined()
    expect(await openOf(alice, 'sent')).toEqual([])
    expect(await openOf(bob, 'received')).toEqual([])
  })

  test('costs the store as much whether it is somebody’s or nobody’s', async () => {
    const email = address()
    await setColumn(bob, `email = '${email}', found_by_email_to = 1`)
    const nobody = await costOf(from => asked(address(), from))
    const hidden = address()
    await setColumn(carol, `email = '${hidden}', found_by_email_to = 3`)
    const unfindable = await costOf(from => asked(hidden, from))
    const somebody = await costOf(from => asked(email, from))
    expect(unfindable).toEqual(nobody)
    // The statements before the answer are the same but for the row that is written: a request, or a job that is none.
    const written = (texts: string[]) => texts.filter(text => text.startsWith('INSERT')).map(text => text.slice(0, 20))
    const asking = (texts: string[]) => texts.slice(0, nobody.length).filter(text => !text.startsWith('INSERT'))
    expect(asking(somebody)).toEqual(asking(nobody))
    expect(written(nobody)).toHaveLength(1)
    expect(written(somebody.slice(0, nobody.length))).toHaveLength(1)
  })

  test('an address that is none is refused, and so is one request too many, whoever it is for', async () => {
    await refused(asked('bob'), 'field_invalid', 'email')
    const crowd = await makeUsers(ctx.pool, sentRequestsMax)
    await ctx.pool.query(
      'INSERT INTO contact_requests (id, from_id, to_id) SELECT gen_random_uuid(), $1, id FROM unnest($2::uuid[]) AS c (id)',
      [alice, crowd],
    )
    const email = address()
    await setColumn(bob, `email = '${email}'`)
    await refused(asked(email), 'limit_reached')
    await refused(asked(address()), 'limit_reached')
  })
})

describe('at the same time', () => {
  const outcomes = (all: PromiseSettledResult<unknown>[]) =>
    all.map(one => (one.status === 'fulfilled' ? 'done' : (one.reason as { code: string }).code)).sort()

  test('requests that cross end in one contact', async () => {
    for (let turn = 0; turn < 10; turn++) {
      const [one, other] = (await makeUsers(ctx.pool, 2)) as [string, string]
      const both = await Promise.all([request(ctx, one, { user: other }), request(ctx, other, { user: one })])
      expect(both.map(result => Object.keys(result)[0]).sort()).toEqual(['contact', 'request'])
      expect([await contactsOf(one), await contactsOf(other)]).toEqual([[other], [one]])
      expect([...(await openOf(one, 'sent')), ...(await openOf(other, 'sent'))]).toEqual([])
    }
  })

  test('one of two acceptances counts', async () => {
    const id = await ask(alice, bob)
    chat.emitted.length = 0
    const both = await Promise.allSettled([accept(ctx, bob, id), accept(ctx, bob, id)])
    expect(outcomes(both)).toEqual(['done', 'request_unknown'])
    expect(told()).toHaveLength(2)
  })

  test('of an acceptance, a cancellation and a rejection one counts', async () => {
    for (let turn = 0; turn < 10; turn++) {
      const [one, other] = (await makeUsers(ctx.pool, 2)) as [string, string]
      const id = await ask(one, other)
      const all = await Promise.allSettled([accept(ctx, other, id), cancel(ctx, one, id), reject(ctx, other, id)])
      expect(outcomes(all)).toEqual(['done', 'request_unknown', 'request_unknown'])
      expect(await contactsOf(one)).toEqual(all[0]!.status === 'fulfilled' ? [other] : [])
    }
  })

  test('the same request twice makes one', async () => {
    const both = await Promise.allSettled([request(ctx, alice, { user: bob }), request(ctx, alice, { user: bob })])
    expect(outcomes(both)).toEqual(['done', 'request_exists'])
  })

  test('no more requests than allowed, however many are sent at once', async () => {
    const crowd = await makeUsers(ctx.pool, sentRequestsMax + 5)
    await ctx.pool.query(
      'INSERT INTO contact_requests (id, from_id, to_id) SELECT gen_random_uuid(), $1, id FROM unnest($2::uuid[]) AS c (id)',
      [alice, crowd.slice(0, sentRequestsMax - 1)],
    )
    const all = await Promise.allSettled(crowd.slice(sentRequestsMax - 1).map(user => request(ctx, alice, { user })))
    expect(all.filter(one => one.status === 'fulfilled')).toHaveLength(1)
  })

  test('no more requests to one person than allowed, however many are sent at once, and by address nobody is told', async () => {
    const crowd = await makeUsers(ctx.pool, contactRequestsReceivedMax + 4)
    await ctx.pool.query(
      'INSERT INTO contact_requests (id, from_id, to_id) SELECT gen_random_uuid(), id, $1 FROM unnest($2::uuid[]) AS c (id)',
      [alice, crowd.slice(0, contactRequestsReceivedMax - 1)],
    )
    const late = crowd.slice(contactRequestsReceivedMax - 1)
    const all = await Promise.allSettled(late.map(user => request(ctx, user, { user: alice })))
    expect(outcomes(all)).toEqual(['done', 'limit_reached', 'limit_reached', 'limit_reached', 'limit_reached'])
    await setColumn(alice, `email = '${alice}@example.org'`)
    await requestByEmail(ctx, bob, { email: `${alice}@example.org` })
    await expect(request(ctx, bob, { user: alice })).rejects.toMatchObject({ detail: { field: 'user' } })
  })

  test('no more contacts than allowed, however many are accepted at once', async () => {
    await crowdOfContacts(alice, contactsMax - 1)
    const ids = await Promise.all((await makeUsers(ctx.pool, 5)).map(user => ask(user, alice)))
    const all = await Promise.allSettled(ids.map(id => accept(ctx, alice, id)))
    expect(outcomes(all)).toEqual(['done', 'limit_reached', 'limit_reached', 'limit_reached', 'limit_reached'])
  })

  test('a block and an acceptance leave no contact behind', async () => {
    for (let turn = 0; turn < 10; turn++) {
      const [one, other] = (await makeUsers(ctx.pool, 2)) as [string, string]
      const id = await ask(one, other)
      await Promise.allSettled([accept(ctx, other, id), block(ctx, one, other)])
      expect([await contactsOf(one), await contactsOf(other)]).toEqual([[], []])
    }
  })
})

describe('a contact', () => {
  test('ends for both, and both hear it', async () => {
    await befriend(alice, bob)
    chat.emitted.length = 0
    await remove(ctx, bob, alice)
    expect([await contactsOf(alice), await contactsOf(bob)]).toEqual([[], []])
    expect(told()).toEqual([
      { to: [bob], event: 'contact.removed', user: alice },
      { to: [alice], event: 'contact.removed', user: bob },
    ])
    await refused(remove(ctx, bob, alice), 'contact_unknown')
  })

  test('is listed page by page', async () => {
    const others = await makeUsers(ctx.pool, 3)
    for (const other of others) await befriend(other, alice)
    const [first, second, third] = others.sort()
    const page = await list(ctx, alice, { limit: 2 })
    expect(page.contacts.map(one => one.user.id)).toEqual([first, second])
    expect(await list(ctx, alice, { limit: 2, after: page.next })).toMatchObject({
      contacts: [{ user: { id: third } }],
    })
  })
})

describe('who takes new conversations from contacts only', () => {
  test('is reached by contacts, and refuses the others', async () => {
    await setColumn(bob, 'direct_from = 2')
    await refused(createDirect(ctx, alice, bob), 'contacts_only', 'user')
    await refused(createGroup(ctx, alice, { name: 'Crew', members: [carol, bob] }), 'contacts_only', 'members')
    const group = await createGroup(ctx, alice, { name: 'Crew', members: [carol] })
    await refused(addMembers(ctx, alice, { conversation: group.id, users: [bob] }), 'contacts_only', 'users')
    // The other way round nothing stands in between.
    expect(await createDirect(ctx, bob, carol)).toMatchObject({ created: true })
    await befriend(alice, bob)
    expect(await createDirect(ctx, alice, bob)).toMatchObject({ created: true })
    await addMembers(ctx, alice, { conversation: group.id, users: [bob] })
    // What exists stays usable.
    await remove(ctx, alice, bob)
    expect(await createDirect(ctx, alice, bob)).toMatchObject({ created: false })
  })

  test('may be everybody who has not said otherwise', async () => {
    const closed = { ...ctx, settings: { ...ctx.settings, directFrom: 'contacts' as const } }
    await refused(createDirect(closed, alice, bob), 'contacts_only', 'user')
    await setColumn(bob, 'direct_from = 1')
    expect(await createDirect(closed, alice, bob)).toMatchObject({ created: true })
  })
})
