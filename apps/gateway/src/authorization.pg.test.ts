/**
 * Who may say what on the socket: every operation × everybody who can stand in some relation to the conversation or the
 * person that it is about, over real sockets. The operations come from the wire's own table, so that a new one without
 * its line here fails.
 */
import { randomUUID } from 'node:crypto'
import { createPool, type Pool } from '@flotilla/chat'
import { type ErrorCode, type Op } from '@flotilla/protocol'
import { ops } from '@flotilla/protocol/schemas'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import {
  type Cast,
  type CastRole,
  connectSocket,
  makeCast,
  type RequestError,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

type SignedIn = Exclude<CastRole, 'nobody'>
type Outcome = 'ok' | ErrorCode
type Line = {
  readonly fields: (cast: Cast) => Record<string, unknown> | Promise<Record<string, unknown>>
  readonly outcome: Readonly<Record<SignedIn, Outcome>>
}

const everybody: Line['outcome'] = {
  stranger: 'ok',
  contact: 'ok',
  member: 'ok',
  removed: 'ok',
  blocked: 'ok',
  admin: 'ok',
  owner: 'ok',
}
/** The same answer to everybody. */
const noneOf = (code: ErrorCode) =>
  Object.fromEntries(Object.keys(everybody).map(role => [role, code])) as Line['outcome']
const outside = 'not_a_member' as const
/** Only those who are in the group. */
const inGroup = { ...everybody, stranger: outside, contact: outside, removed: outside, blocked: outside }
/** In the direct conversation of the owner and the contact are these two. */
const inDirect = { ...inGroup, contact: 'ok', member: outside, admin: outside } as const
/** Between the owner and whom they have blocked nothing passes, in either direction. */
const inClosedDirect = { ...inDirect, contact: outside, blocked: 'blocked', owner: 'blocked' } as const

const forwardOf = (conversation: string, source: string) => ({
  conversation,
  clientId: randomUUID(),
  source: { conversation: source, seq: 1 },
})
const poll = { type: 'poll', question: 'Lunch?', options: ['yes', 'no'], fallback: 'Lunch?' }
const message = (more: object = {}) => ({ clientId: randomUUID(), body: { text: 'Hello', ...more } })

const silence = (cast: Cast) =>
  pool.query(
    `INSERT INTO group_silences (conversation_id, user_id, until) VALUES ($1, $2, now() + interval '1 hour')`,
    [cast.group, cast.people.member.user],
  )

/** Nobody here has sent a message: whoever may pin learns that, and no more. */
function pinLines(): Record<'message.pin' | 'message.unpin', Readonly<Record<string, Line>>> {
  const lines = {
    'in the group': {
      fields: (cast: Cast) => ({ conversation: cast.group, target: 1, clientId: randomUUID() }),
      outcome: { ...inGroup, member: 'role_insufficient', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'between two': {
      fields: (cast: Cast) => ({ conversation: cast.directWith.contact, target: 1, clientId: randomUUID() }),
      outcome: { ...inDirect, contact: 'message_unknown', owner: 'message_unknown' },
    },
    'across a block': {
      fields: (cast: Cast) => ({ conversation: cast.directWith.blocked, target: 1, clientId: randomUUID() }),
      outcome: inClosedDirect,
    },
    'to whom one is asked by, before one accepts': {
      fields: (cast: Cast) => ({ conversation: cast.asked.direct.conversation, target: 1, clientId: randomUUID() }),
      outcome: noneOf(outside),
    },
  } as const
  return { 'message.pin': lines, 'message.unpin': lines }
}

/** Whoever may react learns that there is no message there. */
const reaction = (on: boolean) => ({ target: 1, emoji: '👍', on, clientId: randomUUID() })
const reactLines: Readonly<Record<string, Line>> = {
  'in the group': {
    fields: cast => ({ conversation: cast.group, ...reaction(true) }),
    outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
  },
  'taken back': {
    fields: cast => ({ conversation: cast.group, ...reaction(false) }),
    outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
  },
  'between two': {
    fields: cast => ({ conversation: cast.directWith.contact, ...reaction(true) }),
    outcome: { ...inDirect, contact: 'message_unknown', owner: 'message_unknown' },
  },
  'across a block': {
    fields: cast => ({ conversation: cast.directWith.blocked, ...reaction(true) }),
    outcome: inClosedDirect,
  },
  'to whom one is asked by, before one accepts': {
    fields: cast => ({ conversation: cast.asked.direct.conversation, ...reaction(true) }),
    outcome: noneOf(outside),
  },
}

/** Nobody here has asked anything: who is in it learns that, and no more. */
function pollLines(): Record<'poll.vote' | 'poll.close', Readonly<Record<string, Line>>> {
  const lines = (more: Readonly<Record<string, unknown>>) => {
    const to = (conversation: string) => ({ conversation, target: 1, clientId: randomUUID(), ...more })
    return {
      'in the group': {
        fields: (cast: Cast) => to(cast.group),
        outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
      },
      'across a block': { fields: (cast: Cast) => to(cast.directWith.blocked), outcome: inClosedDirect },
      'to whom one is asked by, before one accepts': {
        fields: (cast: Cast) => to(cast.asked.direct.conversation),
        outcome: noneOf(outside),
      },
    } as const
  }
  return { 'poll.vote': lines({ options: [0] }), 'poll.close': lines({}) }
}

/** Several lines where the answer depends on what it is about. */
const matrix: { readonly [O in Op]: Readonly<Record<string, Line>> } = {
  'message.send': {
    'to the group': { fields: cast => ({ conversation: cast.group, ...message() }), outcome: inGroup },
    'to an announcement group': {
      fields: async cast => {
        await pool.query(`UPDATE conversations SET settings = '{"permissions": {"post": "admin"}}' WHERE id = $1`, [
          cast.group,
        ])
        return { conversation: cast.group, ...message() }
      },
      outcome: { ...inGroup, member: 'role_insufficient' },
    },
    'to the group, while the member is silenced': {
      fields: async cast => {
        await silence(cast)
        return { conversation: cast.group, ...message() }
      },
      outcome: { ...inGroup, member: 'silenced' },
    },
    'to everybody of a large group': {
      fields: cast => ({ conversation: cast.group, ...message({ mentionsAll: true }) }),
      outcome: { ...inGroup, member: 'role_insufficient' },
    },
    'to a contact': { fields: cast => ({ conversation: cast.directWith.contact, ...message() }), outcome: inDirect },
    'across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, ...message() }),
      outcome: inClosedDirect,
    },
    'to whom one is asked by, before one accepts': {
      fields: cast => ({ conversation: cast.asked.direct.conversation, ...message() }),
      outcome: noneOf(outside),
    },
    'in a thread that hangs on nothing': {
      fields: cast => ({ conversation: cast.group, thread: 1, ...message() }),
      outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'in a thread across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, thread: 1, ...message() }),
      outcome: inClosedDirect,
    },
    'in a thread, to whom one is asked by, before one accepts': {
      fields: cast => ({ conversation: cast.asked.direct.conversation, thread: 1, ...message() }),
      outcome: noneOf(outside),
    },
    'a poll to the group': {
      fields: cast => ({ conversation: cast.group, clientId: randomUUID(), body: poll }),
      outcome: inGroup,
    },
    'to nothing': {
      fields: () => ({ conversation: randomUUID(), ...message() }),
      outcome: noneOf('conversation_unknown'),
    },
  },
  // Nobody here has sent a message: who is in it learns that, and no more.
  'message.edit': {
    'in the group': {
      fields: cast => ({ conversation: cast.group, target: 1, ...message() }),
      outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'in the group, while the member is silenced': {
      fields: async cast => {
        await silence(cast)
        return { conversation: cast.group, target: 1, ...message() }
      },
      outcome: { ...inGroup, member: 'silenced', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, target: 1, ...message() }),
      outcome: inClosedDirect,
    },
    'to whom one is asked by, before one accepts': {
      fields: cast => ({ conversation: cast.asked.direct.conversation, target: 1, ...message() }),
      outcome: noneOf(outside),
    },
  },
  ...pinLines(),
  // Nobody here has sent a message to delete or to forward either.
  'message.delete': {
    'in the group': {
      fields: cast => ({ conversation: cast.group, target: 1, clientId: randomUUID() }),
      outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, target: 1, clientId: randomUUID() }),
      outcome: inClosedDirect,
    },
    'to whom one is asked by, before one accepts': {
      fields: cast => ({ conversation: cast.asked.direct.conversation, target: 1, clientId: randomUUID() }),
      outcome: noneOf(outside),
    },
  },
  'message.forward': {
    'to the group': {
      fields: cast => forwardOf(cast.group, cast.group),
      outcome: { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' },
    },
    'across a block': { fields: cast => forwardOf(cast.directWith.blocked, cast.group), outcome: inClosedDirect },
    'to whom one is asked by, before one accepts': {
      fields: cast => forwardOf(cast.asked.direct.conversation, cast.group),
      outcome: noneOf(outside),
    },
    'to nothing': { fields: cast => forwardOf(randomUUID(), cast.group), outcome: noneOf('conversation_unknown') },
  },
  'message.react': reactLines,
  ...pollLines(),
  'message.delivered': {
    'of the group': { fields: cast => ({ conversation: cast.group, seq: 1 }), outcome: inGroup },
    'across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, seq: 1 }),
      outcome: { ...inDirect, contact: outside, blocked: 'ok', owner: 'ok' },
    },
  },
  'message.read': { 'of the group': { fields: cast => ({ conversation: cast.group, seq: 1 }), outcome: inGroup } },
  'history.page': {
    'of the group': { fields: cast => ({ conversation: cast.group, limit: 10 }), outcome: inGroup },
    'of what one is asked into': {
      fields: cast => ({ conversation: cast.asked.direct.conversation, limit: 10 }),
      outcome: noneOf(outside),
    },
    'what was before a block': {
      fields: cast => ({ conversation: cast.directWith.blocked, limit: 10 }),
      outcome: { ...inDirect, contact: outside, blocked: 'ok', owner: 'ok' },
    },
  },
  'sync.resume': {
    // Whoever is not in it is told so by the verdict, not by an error.
    'with a cursor of the group': {
      fields: cast => ({ epoch: 1, cursors: [{ conversation: cast.group, seq: 0 }] }),
      outcome: everybody,
    },
  },
  'typing.start': {
    'in the group': { fields: cast => ({ conversation: cast.group }), outcome: inGroup },
    'across a block': {
      fields: cast => ({ conversation: cast.directWith.blocked }),
      outcome: { ...inDirect, contact: outside, blocked: 'ok', owner: 'ok' },
    },
  },
  'typing.stop': { 'in the group': { fields: cast => ({ conversation: cast.group }), outcome: inGroup } },
  'presence.watch': {
    // Whoever is blocked gets no error that would tell, and sees nobody online.
    'of the owner': {
      fields: cast => ({ users: [cast.people.owner.user] }),
      outcome: { ...everybody, stranger: 'no_shared_conversation', removed: 'no_shared_conversation' },
    },
    'of a contact of the stranger, who is in no conversation': {
      fields: cast => ({ users: [cast.friend.user] }),
      outcome: { ...noneOf('no_shared_conversation'), stranger: 'ok' },
    },
    'of whoever asks the owner': {
      fields: cast => ({ users: [cast.newcomer.user] }),
      outcome: noneOf('no_shared_conversation'),
    },
  },
  'presence.unwatch': {
    'of the owner': { fields: cast => ({ users: [cast.people.owner.user] }), outcome: everybody },
  },
  ping: { '': { fields: () => ({}), outcome: everybody } },
}

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
let database: TestDatabase
let pool: Pool
let gateway: Gateway

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger: silentLogger, applicationName: 'test' })
  gateway = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(createMemoryBus()),
    logger: silentLogger,
    registry: createRegistry({ node: 'n1' }),
    masterKeys,
    ticketKeys,
    nodeId: 'n1',
    // The group of the cast counts as large.
    chat: { receiptWindowMs: 10, mentionAllFreeMax: 1 },
  })
})
afterAll(async () => {
  await gateway.drain()
  await pool.end()
  await database.drop()
})

const url = () => `ws://127.0.0.1:${gateway.port}/v1/socket`

async function answerTo(role: SignedIn, op: Op, line: Line): Promise<Outcome> {
  const cast = await makeCast(pool)
  const socket = await connectSocket({ url: url(), ticket: signTicket(ticketKeys, cast.people[role], Date.now()) })
  try {
    await socket.request(op, (await line.fields(cast)) as never)
    return 'ok'
  } catch (refused) {
    return (refused as RequestError).code
  } finally {
    await socket.terminate()
  }
}

test('every operation has its lines', () => {
  expect(Object.keys(matrix).sort()).toEqual([...ops].sort())
})

test('nobody has a socket: without a ticket nothing is said at all', async () => {
  const forged = signTicket(
    parseSecretKeys(generateSecretKey('t')),
    { user: randomUUID(), session: randomUUID() },
    Date.now(),
  )
  for (const ticket of ['', 'nonsense', forged])
    await expect(connectSocket({ url: url(), ticket })).rejects.toMatchObject({ code: 4101 })
})

test.each(ops.flatMap(op => Object.entries(matrix[op]).map(([about, line]) => ({ name: `${op} ${about}`, op, line }))))(
  '$name',
  async ({ op, line }) => {
    const roles = Object.keys(line.outcome) as SignedIn[]
    const answered = await Promise.all(roles.map(async role => [role, await answerTo(role, op, line)]))
    expect(Object.fromEntries(answered)).toEqual(line.outcome)
  },
)
