/**
 * What operators do, as commands for whoever has the configuration: straight on the store, so that they also work while
 * no process answers, or no operator can sign in. Every act is in the trail, under the name that the system has for who
 * runs it.
 */
import { hostname, userInfo } from 'node:os'
import { type ChatContext, createChat, createPool, operators, type MasterKey, users } from '@flotilla/chat'
import { type OperatorActionItem, Refusal } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import type { Given, Logger, Program } from '@flotilla/service'
import { Compile } from 'typebox/compile'

interface Verb {
  readonly words: readonly string[]
  readonly about: string
  /** What it says when it is done. */
  run(ctx: ChatContext, input: Input): Promise<string>
}

interface Input {
  readonly by: operators.Actor
  readonly words: readonly string[]
  readonly values: Given['values']
  readonly reason: string
}

const isUuid = Compile(Uuid)

const onPerson = (
  about: string,
  act: typeof operators.ban,
  done: (username: string) => string,
): Readonly<Record<'words', readonly string[]>> & Verb => ({
  words: ['PERSON'],
  about,
  async run(ctx, { by, words, reason }) {
    const person = await findPerson(ctx, words[0]!)
    await act(ctx, by, { user: person.id, reason })
    return done(person.username)
  },
})

const verbs: Readonly<Record<string, Verb>> = {
  suspend: {
    words: ['PERSON'],
    about: 'suspend a person, until a time or for good',
    async run(ctx, { by, words, values, reason }) {
      const until = values['until'] === undefined ? undefined : parseUntil(values['until'], ctx.clock())
      const person = await findPerson(ctx, words[0]!)
      await operators.suspend(ctx, by, { user: person.id, reason, until })
      return `${person.username} is suspended ${until === undefined ? 'for good' : `until ${timeText(until)}`}`
    },
  },
  ban: onPerson(
    'suspend for good, and block the name, the addresses and the identities',
    operators.ban,
    username => `${username} is banned`,
  ),
  lift: onPerson('lift a suspension or a ban', operators.lift, username => `${username} may sign in again`),
  'sign-out': onPerson(
    'end all sessions of a person',
    operators.signOut,
    username => `${username} is signed out everywhere`,
  ),
  'remove-message': {
    words: ['CONVERSATION', 'SEQ'],
    about: 'erase the content of a message; its place in the log stays',
    async run(ctx, { by, words, reason }) {
      const conversation = checkId(words[0]!)
      const seq = Number(words[1])
      if (!Number.isSafeInteger(seq) || seq < 1) throw new Error(`'${words[1]}' is not a seq`)
      await operators.removeMessage(ctx, by, { conversation, seq, reason })
      return `message ${seq} of ${conversation} is removed`
    },
  },
  show: {
    words: ['PERSON'],
    about: 'show the state of an account',
    async run(ctx, { words }) {
      const { user, sessions, suspended, until, banned, erased } = await operators.standing(
        ctx,
        (await findPerson(ctx, words[0]!)).id,
      )
      const end = until === undefined ? 'for good' : `until ${timeText(until)}`
      return [
        `${user.username}  ${user.displayName}  ${user.id}`,
        suspended ? `${banned ? 'banned' : 'suspended'} ${end}` : 'neither suspended nor banned',
        `${sessions} sessions${erased ? ', erased' : ''}`,
      ].join('\n')
    },
  },
  list: {
    words: [],
    about: 'list operator actions, latest first',
    async run(ctx, { values }) {
      const person = values['person'] === undefined ? undefined : await findPerson(ctx, values['person'])
      const { actions, next } = await operators.list(
        ctx,
        { user: person?.id },
        { limit: pageMax, after: values['after'] },
      )
      const lines = actions.map(lineOf)
      return [...lines, ...(next === undefined ? [] : [`more: --after ${next}`])].join('\n') || 'nothing'
    },
  },
}

/** These change nothing. */
const asking = new Set(['show', 'list'])
const pageMax = 50

/** Without how it is called. */
export const operatorProgram = {
  about: [
    'Runs operator actions directly on the store. PERSON is a username or an id.',
    ...Object.entries(verbs).map(([name, { words, about }]) => `  ${[name, ...words].join(' ').padEnd(32)}${about}`),
  ].join('\n'),
  options: {
    reason: { value: 'TEXT', about: 'why; recorded in the audit trail and shown to the person' },
    until: { value: 'TIME', about: 'end of a suspension: 2027-01-31, 2027-01-31T18:00:00Z, or a duration: 12h, 7d' },
    by: { value: 'NAME', about: 'who acts, for the audit trail (default: your system user)' },
    person: { value: 'PERSON', about: 'with list: only actions on this person' },
    after: { value: 'PLACE', about: 'with list: start of the next page' },
  },
  words: { min: 1, max: 3 },
  settings: 'Operating',
} as const satisfies Omit<Program, 'usage'>

export interface OperatorStore {
  readonly databaseUrl: string
  readonly masterKeys: readonly MasterKey[]
  /** Whether a worker sends mail: the person hears of it. */
  readonly mail: boolean
  readonly logger: Logger
}

/**
 * Runs one command.
 * @returns what to say
 * @throws Error with one sentence, when it is none or was refused
 */
export async function runOperatorCommand(store: OperatorStore, given: Given): Promise<string> {
  const [name = '', ...words] = given.words
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) throw new Error(`unable to run '${name}': the commands are ${Object.keys(verbs).join(', ')}`)
  try {
    if (words.length !== verb.words.length) throw new Error(`it takes ${verb.words.join(' and ') || 'nothing'}`)
    const reason = given.values['reason']
    if (reason === undefined && !asking.has(name)) throw new Error('--reason is required')
    const by = {
      program: (given.values['by'] ?? whoRuns())
        .replaceAll(/\p{Cc}+/gu, ' ')
        .trim()
        .slice(0, nameLengthMax),
    }
    const input = { by, words, values: given.values, reason: reason ?? '' }
    return await onStore(store, ctx => verb.run(ctx, input))
  } catch (error) {
    const why = error instanceof Refusal || error instanceof Error ? error.message : String(error)
    throw new Error(`unable to ${name}: ${why}`, { cause: error })
  }
}

const nameLengthMax = 128

/** The domain for one act. Nobody is connected here: what is told live is found by the next look. */
async function onStore<T>(store: OperatorStore, act: (ctx: ChatContext) => Promise<T>): Promise<T> {
  const { databaseUrl: url, masterKeys, mail, logger } = store
  const pool = createPool({ url, connectionsMax: 3, logger, applicationName: 'flotilla-operate' })
  try {
    const ctx = await createChat({
      pool,
      masterKeys,
      logger,
      settings: { mail },
      presumedAbsent: () => [],
      emit() {},
    })
    try {
      return await act(ctx)
    } finally {
      await ctx.close()
    }
  } finally {
    await pool.end()
  }
}

async function findPerson(ctx: ChatContext, text: string): Promise<{ id: string; username: string }> {
  return isUuid.Check(text) ? (await operators.standing(ctx, text)).user : users.find(ctx, text)
}

function checkId(text: string): string {
  if (isUuid.Check(text)) return text
  throw new Error(`'${String(text)}' is not an id`)
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

function parseUntil(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) return now + Number(count) * units[unit]!
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new Error(`--until takes 2027-01-31, 2027-01-31T18:00:00Z, 12h or 7d, not '${text}'`)
  return at
}

const timeText = (at: number) => new Date(at).toISOString()

function lineOf({
  at,
  action,
  operator,
  program,
  user,
  conversation,
  seq,
  reason,
  detail,
}: OperatorActionItem): string {
  const place = conversation === undefined ? '' : `${conversation}${seq === undefined ? '' : ` ${seq}`}`
  const facts = Object.entries(detail).map(([name, value]) => `${name} ${value}`)
  return [
    timeText(at),
    operator?.username ?? program ?? '',
    action,
    user?.username ?? '',
    place,
    ...facts,
    reason.replaceAll(/\s+/g, ' '),
  ]
    .filter(part => part !== '')
    .join('  ')
}

/** In a container the user of the process may have no name. */
function whoRuns(): string {
  const name = () => {
    try {
      return userInfo().username
    } catch {
      return String(process.getuid?.())
    }
  }
  return `${name()}@${hostname()}`
}
