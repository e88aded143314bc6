/**
 * A small terminal client: `npm run chat -- --as alice --with bob`. It signs in, or registers the first time, and keeps
 * what it must in `.flotilla/chat-alice.json`. On a terminal it draws; into a pipe it writes plain lines, which people
 * read and tests too; with `--json` it writes what happens for programs.
 */
import { createClient, createSignIn, FlotillaError, type SignIn, type User } from '@flotilla/sdk'
import { readCommandLine } from '@flotilla/service'
import { ChatApp } from './chat-app.ts'
import { type ChatFile, openChatFile } from './chat-file.ts'
import { asJson, createScreen } from './chat-screen.ts'

/** Between two tries to reach a server that is not there yet. */
const retryMs = 2_000

function readArguments() {
  const { flags, values } = readCommandLine({
    usage: 'npm run chat -- --as NAME [--with NAME]',
    about: 'A small terminal client. It signs in as NAME, or registers the first time. /help lists what can be typed.',
    options: {
      as: { value: 'NAME', about: 'who you are' },
      with: { value: 'NAME', about: 'whom to talk to at first' },
      url: { value: 'URL', about: 'where Flotilla is (http://localhost:8080)' },
      folder: { value: 'FOLDER', about: 'where the session is kept (.flotilla)' },
      json: { about: 'writes a line of JSON for whatever happens, for programs' },
    },
  })
  const { as: name, with: person, url = 'http://localhost:8080', folder = '.flotilla' } = values
  if (name === undefined) throw new Error('unable to start: who are you? Say --as NAME; --help says more')
  if (!/^[\w.-]{1,32}$/.test(name)) throw new Error('unable to start: a name has letters, digits, dots and dashes')
  return { name, person, url, folder, json: flags.has('json') }
}

/** Whoever the file says, else the person of this name, who is made the first time. */
async function signIn(account: SignIn, file: ChatFile, name: string): Promise<User> {
  const held = await account.user()
  if (held !== undefined) {
    try {
      await account.getToken({ expired: false })
      return held
    } catch (thrown) {
      // The server is away: what is known of the session is enough to begin with.
      if (!(thrown instanceof FlotillaError) || thrown.retry) return held
    }
  }
  const credentials = { username: name, password: file.password, deviceName: 'terminal' }
  try {
    const { user } = await account.signIn(credentials)
    if (user !== undefined) return user
    throw new Error(`unable to sign in as ${name}: a second factor is asked for, which this client does not know`)
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || thrown.code !== 'invalid_credentials') throw thrown
  }
  try {
    // A server that does not know this person knows none of the cursors either.
    await file.startAfresh()
    return await account.register(credentials)
  } catch (thrown) {
    if (thrown instanceof FlotillaError && thrown.code === 'username_taken')
      throw new Error(`unable to sign in as ${name}: somebody else has this name on this server`, { cause: thrown })
    throw thrown
  }
}

async function signInWhenPossible(account: SignIn, file: ChatFile, name: string, say: (text: string) => void) {
  for (let said = false; ; said = true) {
    try {
      return await signIn(account, file, name)
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || !thrown.retry) throw thrown
      if (!said) say(`waiting for the server: ${thrown.message}`)
      await new Promise(resolve => setTimeout(resolve, Math.max(retryMs, thrown.retryMs ?? 0)))
    }
  }
}

async function main(): Promise<void> {
  const { name, person, url, folder, json } = readArguments()
  const file = openChatFile(folder, name)
  try {
    const account = createSignIn(url, { sessions: file.sessions })
    const me = await signInWhenPossible(account, file, name, text =>
      process.stdout.write(`${json ? asJson(text) : text}\n`),
    )
    // Why it does not connect is told where everything else is.
    const logger = { debug() {}, warn: (text: string) => screen.note(text) }
    const client = createClient({ api: url, getToken: account.getToken, store: file.store, logger })
    const end = Promise.withResolvers<void>()
    const screen = createScreen(process.stdin, process.stdout, json, {
      line: text => app.typed(text),
      key: text => app.key(text),
      end: () => void app.finish().then(end.resolve),
      abort: end.resolve,
    })
    const app = new ChatApp({ client, screen, me, person, now: Date.now(), quit: end.resolve })
    process.once('SIGTERM', end.resolve)
    try {
      await client.start()
      await end.promise
    } finally {
      screen.close()
      await client.stop()
    }
  } finally {
    file.close()
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
