/**
 * The command `npm run readme:picture`: starts Flotilla and two chats in pseudo-terminals, lets two people talk, stops the server and
 * starts it again meanwhile, and draws what stood on the three screens: docs/images/chat.svg. Nothing is staged but the typing.
 * It needs `script` (util-linux, or that of macOS) and a free port 8080.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'
import { draw } from './draw.mjs'

const root = join(import.meta.dirname, '../../..')
const picture = join(root, 'docs/images/chat.svg')
const folder = mkdtempSync(join(tmpdir(), 'flotilla-picture-'))
const waitMsMax = 120_000
/** Output that comes within this time is one picture: a screen is cleared and drawn again in one go. */
const settleMs = 30
const keyMs = 55

/** A terminal of a fixed size, in which one program after the other runs; `frames` is what stood on it, and when. */
class Pane {
  frames = []
  /** What the program that runs now has written. */
  said = ''
  #terminal
  #size
  #child
  #timer

  constructor(title, columns, rows) {
    this.title = title
    this.columns = columns
    this.rows = rows
    this.#size = { cols: columns, rows }
    this.#terminal = new xterm.Terminal({ ...this.#size, allowProposedApi: true, convertEol: true })
  }

  run(command, env = {}) {
    this.said = ''
    const sized = `stty rows ${this.rows} cols ${this.columns}; exec ${command}`
    const args = process.platform === 'linux' ? ['-qfec', sized, '/dev/null'] : ['-q', '/dev/null', 'sh', '-c', sized]
    this.#child = spawn('script', args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    // The data lie elsewhere than a reader's own would, so that theirs stay as they are.
    this.#child.stdout.on('data', bytes => {
      const text = bytes.toString().replaceAll(folder, '.flotilla')
      this.said += text
      this.show(text)
    })
  }

  show(text) {
    this.#terminal.write(text, () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.frames.push({ at: performance.now(), ...read(this.#terminal) }), settleMs)
    })
  }

  keys(text) {
    this.#child.stdin.write(text)
  }

  async type(text) {
    for (const letter of text) {
      this.keys(letter)
      await sleep(keyMs)
    }
    await sleep(300)
    this.keys('\r')
  }

  /** Waits until the screen shows it. */
  shows(pattern) {
    const textOf = runs => runs.reduce((text, run) => text.padEnd(run.x) + run.text, '')
    return this.#until(pattern, () => (this.frames.at(-1)?.rows ?? []).map(textOf).join('\n'))
  }

  /** Waits until the program has written it. */
  says(pattern) {
    return this.#until(pattern, () => this.said)
  }

  async #until(pattern, read) {
    for (const end = performance.now() + waitMsMax; !pattern.test(read()); await sleep(100))
      if (performance.now() > end)
        throw new Error(`unable to record: ${this.title} does not show ${pattern}, but:\n${read()}`)
  }

  async end(keys) {
    if (this.#child === undefined) return
    const ended = new Promise(resolve => this.#child.once('close', resolve))
    this.keys(keys)
    await ended
    this.#child = undefined
  }

  kill() {
    this.#child?.kill()
  }
}

/** What stands on a screen: for each row the runs of one style. */
function read(terminal) {
  const { active } = terminal.buffer
  const rows = Array.from({ length: terminal.rows }, (_, y) => {
    const line = active.getLine(active.viewportY + y)
    const runs = []
    for (let x = 0; x < terminal.cols; x++) {
      const cell = line.getCell(x)
      // The second half of a wide letter.
      if (cell.getWidth() === 0) continue
      const style = `${cell.isBold() ? 'b' : ''}${cell.isDim() ? 'd' : ''}${cell.isFgPalette() ? cell.getFgColor() : ''}`
      const text = cell.getChars() || ' '
      const run = runs.at(-1)
      if (run?.style === style) run.text += text
      else runs.push({ x, style, text })
    }
    return runs.filter(run => run.text.trim() !== '').map(run => ({ ...run, text: run.text.trimEnd() }))
  })
  return { rows, cursor: { x: active.cursorX, y: active.baseY + active.cursorY - active.viewportY } }
}

async function demandFreePort(port) {
  const server = createServer()
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve)).catch(
    error => {
      throw new Error(`unable to record: port ${port} is in use`, { cause: error })
    },
  )
  await new Promise(resolve => server.close(resolve))
}

const server = new Pane('npm start', 92, 6)
const alice = new Pane('npm run chat -- --as alice --with bob', 44, 17)
const bob = new Pane('npm run chat -- --as bob --with alice', 44, 17)
const panes = [alice, bob, server]
const start = () => server.run('npm run --silent start', { FLOTILLA_FOLDER: folder })

async function meet() {
  alice.run(`npm run --silent chat -- --as alice --with bob --folder ${folder}`)
  await alice.shows(/● alice/)
  bob.run(`npm run --silent chat -- --as bob --with alice --folder ${folder}`)
  await Promise.all([alice.shows(/● bob/), bob.shows(/● alice/)])
}

try {
  await demandFreePort(8080)
  start()
  await server.says(/Ctrl-C stops it/)
  // They have met before: the first time whoever begins is told that the other one is asked.
  await meet()
  await Promise.all([alice.end('/quit\r'), bob.end('/quit\r')])
  await meet()

  await sleep(800)
  const from = performance.now()
  await alice.type('Safe to restart the server?')
  await alice.shows(/✓✓ read/)
  await bob.type('Go on, I keep writing.')
  await alice.shows(/bob: Go on, I keep writing/)
  await sleep(600)
  await server.end('\u0003')
  await Promise.all([alice.shows(/reconnecting/), bob.shows(/reconnecting/)])
  await bob.type('Nobody hears this yet.')
  await alice.type('Nor this.')
  await Promise.all([alice.shows(/Nor this\. …/), bob.shows(/hears this yet\. …/)])
  await sleep(1_000)
  server.show('$ npm start\r\n')
  start()
  await server.says(/Ctrl-C stops it/)
  await Promise.all([alice.shows(/Nor this\. ✓✓ read/), bob.shows(/hears this yet\. ✓✓ read/)])
  await sleep(1_000)

  if (server.said.includes(' WARN ')) throw new Error(`unable to record: the server warns:\n${server.said}`)
  writeFileSync(picture, draw({ panes, from }))
  console.log(`wrote ${picture}`)
  await Promise.all([alice.end('/quit\r'), bob.end('/quit\r')])
  await server.end('\u0003')
} finally {
  for (const pane of panes) pane.kill()
  rmSync(folder, { recursive: true, force: true })
}
