/** Two people at two terminals, through a restart of the server: what `npm run chat` promises to whoever tries it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createPool, createSealer } from '@flotilla/chat'
import { silentLogger } from '@flotilla/service'
import { dropFolder, freePort, makeFolder, testDatabase, until } from '@flotilla/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { loadKeys } from './keys.ts'
import { type Standalone, startStandalone } from './standalone.ts'

vi.setConfig({ testTimeout: 60_000 })
const chat = fileURLToPath(new URL('../../cli/src/chat.ts', import.meta.url))
const undo: (() => Promise<unknown> | void)[] = []
/** On a machine that stands still now and then nobody is told to come back later. */
const patient = { eventLoopDelayMsMax: 60_000 }

afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

function folderFor(name: string): string {
  const folder = makeFolder(name)
  undo.push(() => dropFolder(folder))
  return folder
}

class Terminal {
  readonly process: ChildProcess
  output = ''
  #read = 0

  constructor(...args: string[]) {
    this.process = spawn(process.execPath, ['--conditions=source', chat, ...args], { stdio: 'pipe' })
    undo.push(() => void this.process.kill('SIGKILL'))
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (data: Buffer) => (this.output += data.toString()))
  }

  type(line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  /** Waits for a text beyond the one that was waited for last. */
  async sees(text: string): Promise<void> {
    const find = () => {
      const at = this.output.indexOf(text, this.#read)
      if (at < 0) return false
      this.#read = at + text.length
      return true
    }
    await until(find, { what: `"${text}"`, withinMs: 20_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)} after ${JSON.stringify(this.output.slice(this.#read))}`, { cause: error })
    })
  }

  count(text: string): number {
    return this.output.split(text).length - 1
  }

  async quit(): Promise<number> {
    const exited = once(this.process, 'exit')
    this.type('/quit')
    return Number((await exited)[0])
  }
}

test('two people chat, and what they write while the server is away arrives once it is back', async () => {
  const [serverFolder, folder, port, database] = [
    folderFor('server'),
    folderFor('chat'),
    await freePort(),
    await testDatabase(),
  ]
  const start = () =>
    startStandalone({
      folder: serverFolder,
      host: '127.0.0.1',
      port,
      logger: silentLogger,
      ...patient,
      databaseUrl: database.url,
      publicUrl: `http://127.0.0.1:${port}`,
    })
  let server: Standalone = await start()
  undo.push(() => server.stop())
  const at = ['--url', `http://127.0.0.1:${port}`, '--folder', folder]

  const alice = new Terminal('--as', 'alice', '--with', 'bob', ...at)
  await alice.sees('waiting for bob')
  const bob = new Terminal('--as', 'bob', '--with', 'alice', ...at)
  await bob.sees('— alice —')
  await alice.sees('— bob —')

  bob.type('hello')
  await alice.sees('bob: hello')
  await bob.sees('read: hello')

  await server.stop()
  await bob.sees('reconnecting')
  bob.type('one')
  bob.type('two')
  await bob.sees('me: two')
  server = await start()
  await alice.sees('bob: one')
  await alice.sees('bob: two')
  await bob.sees('read: two')
  expect(alice.count('bob: one') + alice.count('bob: two'), 'exactly once').toBe(2)

  bob.type('/edit two, and more')
  await alice.sees('bob edited: two, and more')
  await bob.sees('bob edited: two, and more')

  alice.type('/reply agreed')
  await bob.sees('answers bob: two, and more')
  await bob.sees('alice: agreed')
  bob.type('/delete')
  await alice.sees('bob deleted: This message was deleted.')
  bob.type('/reply to that')
  await alice.sees('answers alice: agreed')
  bob.type('/poll Lunch? | yes | no')
  await alice.sees('bob: Lunch? 1. yes 2. no')
  alice.type('/vote 2')
  await bob.sees('“Lunch?” 1. yes: 0, 2. no: 1 (1 voted)')
  alice.type('/thread new not hungry')
  await bob.sees('not hungry')
  bob.type('/thread new')
  await bob.sees('  alice: not hungry')
  bob.type('/close')
  await alice.sees('(1 voted; it is closed)')

  alice.type('/group crew bob')
  await alice.sees('— crew —')
  alice.type('all hands')
  await bob.sees('alice in crew: all hands')

  bob.type('/list')
  await bob.sees('crew (1 new)')
  bob.type('/open 2')
  await bob.sees('— crew —')
  await alice.sees('read: all hands')
  bob.type('/mute mentions')
  await bob.sees('crew: only mentions are announced')
  bob.type('/top')
  await bob.sees('crew: pinned to the top')
  bob.type('/unread')
  await bob.sees('crew: marked as unread')
  alice.type('nothing for him')
  alice.type('@bob, this is')
  await bob.sees('alice in crew: @bob, this is')
  expect(bob.count('nothing for him')).toBe(0)
  bob.type('/list')
  await bob.sees('^ crew (2 new, 1 for you)')
  bob.type('/open 1')
  await bob.sees('alice: nothing for him')
  bob.type('/archive')
  await bob.sees('crew: archived')

  expect(await alice.quit()).toBe(0)
  await bob.sees('alice is offline')
  const again = new Terminal('--as', 'alice', '--with', 'bob', ...at)
  await again.sees('bob: to that')
  await bob.sees('alice is online')
  expect(await again.quit()).toBe(0)
  expect(await bob.quit()).toBe(0)
})

test('what waits in threads is in the list, replies can be sent later, a group has windows, and one writes to oneself', async () => {
  const [folder, port, database] = [folderFor('server'), await freePort(), await testDatabase()]
  undo.push(() => database.drop())
  const options = { folder, host: '127.0.0.1', port, logger: silentLogger, databaseUrl: database.url, ...patient }
  const server = await startStandalone(options)
  undo.push(() => server.stop())
  const at = ['--url', `http://127.0.0.1:${port}`, '--folder', folderFor('chat')]
  const bob = new Terminal('--as', 'bob', ...at)
  await bob.sees('no conversations yet')
  const alice = new Terminal('--as', 'alice', ...at)
  await alice.sees('no conversations yet')

  alice.type('/group crew bob')
  await alice.sees('— crew —')
  await bob.sees('alice asks you into crew')
  bob.type('/accept crew')
  await bob.sees('— crew —')
  await alice.sees('bob joined')
  alice.type('all hands')
  await bob.sees('alice: all hands')
  alice.type('/windows 15m off')
  await bob.sees('lets messages be edited for 15 min, lets messages be deleted as long as the server allows')
  alice.type('/later 3 1d tea?')
  await alice.sees('in thread 3: tea?')
  alice.type('/unread')
  await alice.sees('crew: marked as unread')
  bob.type('/thread new aye')
  await bob.sees('sent: aye')
  alice.type('/list')
  await alice.sees('crew (1 in threads, unread)')

  alice.type('/saved')
  await alice.sees('— saved messages —')
  alice.type('buy rope')
  await alice.sees('sent: buy rope')
  alice.type('/list')
  await alice.sees('2. saved messages')
  expect(await alice.quit()).toBe(0)
  expect(await bob.quit()).toBe(0)
})

test('marks, places and cards are shown for what they are, text of every kind comes whole', async () => {
  const [folder, port, database] = [folderFor('chat'), await freePort(), await testDatabase()]
  const publicUrl = `http://127.0.0.1:${port}`
  const server = await startStandalone({
    folder: folderFor('server'),
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    ...patient,
    databaseUrl: database.url,
    publicUrl,
  })
  undo.push(() => server.stop())
  const at = ['--url', publicUrl, '--folder', folder]
  const alice = new Terminal('--as', 'alice', '--with', 'bob', ...at)
  await alice.sees('waiting for bob')
  const bob = new Terminal('--as', 'bob', '--with', 'alice', ...at)
  await bob.sees('— alice —')
  await alice.sees('— bob —')

  bob.type('**see** [here](https://a.example/) ||not this|| `x` @alice')
  await alice.sees('bob: see here (https://a.example/) ▒▒▒▒▒ x @alice\n')
  alice.type('/spoiler')
  await alice.sees('* bob: see here (https://a.example/) not this x @alice\n')
  bob.type('👨‍👩‍👧‍👦 🇳🇱 👍🏽 e\u0301 a\u200db نامه\u200cای')
  await alice.sees('bob: \u2068👨‍👩‍👧‍👦 🇳🇱 👍🏽 e\u0301 a\u200db نامه\u200cای\u2069\n')
  bob.type('\u202etxt.exe\u2069 \u2067')
  await alice.sees('bob: \u2068\u202etxt.exe \u2067\u2069\u2069\n')
  bob.type('/location -36.8421 174.7672 Ferry Building')
  await alice.sees('bob: 📍 Ferry Building (-36.8421, 174.7672)\n')
  bob.type('/contact Ann, +64 9 555 0123, ann@a.example, @alice')
  await alice.sees('bob: 👤 Ann: +64 9 555 0123, ann@a.example, @alice\n')
  bob.type('/edit elsewhere')
  await bob.sees('* not edited (field_invalid)')
  bob.type('/location 91 0')
  await bob.sees('body.latitude: invalid (maximum 90) (field_invalid)')
  expect(alice.count('not this'), 'a spoiler is shown when it is asked for').toBe(1)
  expect(await alice.quit()).toBe(0)
  expect(await bob.quit()).toBe(0)
})

test('programs read and write too: each line is JSON, and says what it is about', async () => {
  const [folder, port, database] = [folderFor('chat'), await freePort(), await testDatabase()]
  const publicUrl = `http://127.0.0.1:${port}`
  const server = await startStandalone({
    folder: folderFor('server'),
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    ...patient,
    databaseUrl: database.url,
    publicUrl,
  })
  undo.push(() => server.stop())
  const at = ['--json', '--url', publicUrl, '--folder', folder]
  const ada = new Terminal('--as', 'ada', '--with', 'bot', ...at)
  await ada.sees('waiting for bot')
  const bot = new Terminal('--as', 'bot', '--with', 'ada', ...at)
  await bot.sees('— ada —')
  await ada.sees('— bot —')
  ada.type('\u001b[31mred "alert"')
  await bot.sees('"event":"message"')
  await ada.sees('"state":"read"')
  expect(await ada.quit()).toBe(0)
  expect(await bot.quit()).toBe(0)
  const linesOf = (terminal: Terminal) =>
    terminal.output
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  const text = '\u001b[31mred "alert"'
  expect(linesOf(bot)).toContainEqual(expect.objectContaining({ event: 'message', by: 'ada', text, seq: 3 }))
  expect(linesOf(ada)).toContainEqual(expect.objectContaining({ event: 'own', text, state: 'sending' }))
  expect(linesOf(ada)).toContainEqual(expect.objectContaining({ event: 'state', seq: 3, state: 'read' }))
  expect(linesOf(ada)).toContainEqual({ event: 'note', text: 'waiting for bot, who has never been here' })
})

test('what a later version has written is shown in its own words, or passed over', async () => {
  const [serverFolder, folder, port, database] = [
    folderFor('server'),
    folderFor('chat'),
    await freePort(),
    await testDatabase(),
  ]
  const publicUrl = `http://127.0.0.1:${port}`
  const options = {
    folder: serverFolder,
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    databaseUrl: database.url,
    ...patient,
  }
  const server = await startStandalone({ ...options, publicUrl })
  undo.push(() => server.stop())
  const at = ['--url', publicUrl, '--folder', folder]
  const alice = new Terminal('--as', 'alice', '--with', 'bob', ...at)
  await alice.sees('waiting for bob')
  const bob = new Terminal('--as', 'bob', '--with', 'alice', ...at)
  await bob.sees('— alice —')
  await alice.sees('— bob —')

  const pool = createPool({ url: database.url, connectionsMax: 1, logger: silentLogger, applicationName: 'test' })
  undo.push(() => pool.end())
  const seal = await createSealer(pool, loadKeys(serverFolder, false).master)
  for (const [kind, plain] of [
    [99, { event: 'drawing.ended', target: 1 }],
    [1, { body: { type: 'drawing', fallback: 'Drawing: lunch', strokes: ['yes', 'no'] } }],
  ] as const) {
    const { rows } = await pool.query<{ id: string; user: string; head: number }>(
      `UPDATE conversations c SET head_seq = head_seq + 1, head_at = now() FROM users u
        WHERE u.username = 'bob' RETURNING c.id, u.id AS user, c.head_seq AS head`,
    )
    const { id: conversation, user: sender, head } = rows[0]!
    const clientId = randomUUID()
    const { keyId, body } = seal.seal({ conversation, sender, clientId, kind }, JSON.stringify(plain))
    await pool.query(
      `INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
       VALUES ($1, $2, now(), $3, $4, $5, $6, $7)`,
      [conversation, head, sender, clientId, keyId, kind, body],
    )
  }
  bob.type('well?')
  await alice.sees('bob: Drawing: lunch')
  await alice.sees('bob: well?')
  expect(await alice.quit()).toBe(0)
  expect(await bob.quit()).toBe(0)
})

test('whoever is asked accepts, or declines, and sees it in the list', async () => {
  const [folder, port, database] = [folderFor('chat'), await freePort(), await testDatabase()]
  const publicUrl = `http://127.0.0.1:${port}`
  const server = await startStandalone({
    folder: folderFor('server'),
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    ...patient,
    databaseUrl: database.url,
    publicUrl,
  })
  undo.push(() => server.stop())
  const at = ['--url', publicUrl, '--folder', folder]
  const bob = new Terminal('--as', 'bob', ...at)
  await bob.sees('no conversations yet')
  const alice = new Terminal('--as', 'alice', '--with', 'bob', ...at)
  await alice.sees('bob is asked first')
  await bob.sees('alice asks to talk to you: /accept alice')
  alice.type('hello')
  await alice.sees('me: hello')
  bob.type('/list')
  await bob.sees('alice asks to talk to you')
  bob.type('/accept alice')
  await bob.sees('alice: hello')
  await alice.sees('bob joined')
  const carol = new Terminal('--as', 'carol', ...at)
  await carol.sees('no conversations yet')
  alice.type('/group boat carol')
  await carol.sees('alice asks you into boat: /accept boat or /decline boat')
  carol.type('/decline boat')
  await carol.sees('declined: boat')
})

test('one terminal a person, and a name that somebody else has is refused', async () => {
  const [folder, port, database] = [folderFor('chat'), await freePort(), await testDatabase()]
  const publicUrl = `http://127.0.0.1:${port}`
  const server = await startStandalone({
    folder: folderFor('server'),
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    ...patient,
    databaseUrl: database.url,
    publicUrl,
  })
  undo.push(() => server.stop())
  const first = new Terminal('--as', 'alice', '--url', publicUrl, '--folder', folder)
  await first.sees('no conversations yet')
  const second = new Terminal('--as', 'alice', '--url', publicUrl, '--folder', folder)
  await second.sees('another terminal does already')
  const stranger = new Terminal('--as', 'alice', '--url', publicUrl, '--folder', folderFor('elsewhere'))
  await stranger.sees('somebody else has this name')
  const nobody = new Terminal()
  await nobody.sees('who are you?')
  expect(await first.quit()).toBe(0)
})
