/** The web client in a browser: how soon it shows what people do, and whether anything moves under their eyes. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@flotilla/sdk'
import {
  type Climbed,
  climb,
  noteFirstMessages,
  noteKeys,
  sendAndLook,
  type SentAndSeen,
  switchTo,
  until,
} from '@flotilla/testing'
import { Histogram, show } from '@flotilla/testing/load'
import type { Page } from 'playwright-core'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import { type Defer, tidily } from '../tidy.ts'
import { openStage, type Stage } from '../web/stage.ts'

const messagesPerSecond = 50
const startMsMax = 2_000
const switchMsMax = 100
const keyMsMax = 50
const movedPxMax = 1
/** Of the memory half-way through the flow. */
const heapGrowthMax = 1.2

export const web: Scenario = {
  name: 'web',
  title: 'The web client',
  about:
    'The page of npm start with its demo workspace in headless Chromium. The server has one core; the browser and those who write take ' +
    'what they need of both. A start is a new tab of somebody who is signed in, to the paint of the first messages. Conversations are switched between 20 that were opened ' +
    `before. Keys are pressed while three others write ${messagesPerSecond} messages a second into the open conversation; what a key took is told by ` +
    'the Event Timing of the browser, in steps of 8 ms. Memory is the heap of scripts after a garbage collection.',
  run: bench => tidily(defer => run(bench, defer)),
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open('web')
  defer(() => ground.close())
  const stage = await openStage(ground, defer)
  const [first] = stage.groups as [string, ...string[]]
  const starts = await measureStarts(stage, first, bench.short ? 2 : 10)
  bench.say(`  first messages after ${show(starts.quantile(0.5))} ms`)
  const page = await stage.context.newPage()
  await page.goto(`${stage.url}/c/${first}`)
  await page.locator('[data-conversation-pane] article').first().waitFor()
  const climbed = await page.evaluate<Climbed>(climb(bench.short ? 100 : 1_500))
  bench.say(`  rows moved by ${show(climbed.worst)} px at most, ${climbed.prepended} pages`)
  const switches = await measureSwitches(page, stage.groups.slice(0, 20), bench.short ? 1 : 5)
  bench.say(`  switched within ${show(switches.quantile(0.95))} ms (p95)`)
  await page.evaluate(switchTo(first))
  const sends = bench.short ? 10 : 200
  const seen = await measureSends(page, sends)
  bench.say(`  ${seen} of ${sends} sends seen in the same frame`)
  const flow = await measureFlow(page, stage.others, first, bench.seconds * bench.runs)
  bench.say(`  keys painted within ${show(flow.keyMs.quantile(0.95))} ms (p95), ${show(flow.heapMb.at(-1)!)} MB`)
  const [, halfway, end] = flow.heapMb
  const p95Of = (what: string, taken: Histogram, max: number) => ({
    promise: `${what}: a p95 of at most ${max} ms`,
    result: `${show(taken.quantile(0.95))} ms`,
    met: taken.quantile(0.95) <= max,
  })
  return {
    targets: [
      p95Of('a start to the first messages', starts, startMsMax),
      p95Of('a switch of conversations', switches, switchMsMax),
      p95Of(`a key to its paint, at ${messagesPerSecond} messages a second`, flow.keyMs, keyMsMax),
      {
        promise: 'each message of one’s own on the screen in the frame of the key press',
        result: `${seen} of ${sends}`,
        met: seen === sends,
      },
      {
        promise: `rows on the screen move by at most ${movedPxMax} px while older ones come`,
        result: `${show(climbed.worst)} px over ${climbed.prepended} pages, ${climbed.blank} empty frames in a row`,
        met: climbed.worst <= movedPxMax && climbed.blank === 0,
      },
      {
        promise: `memory at the end of the flow at most ${heapGrowthMax} times that half-way`,
        result: `${show(end! / halfway!)} times after ${flow.received} messages`,
        met: end! <= halfway! * heapGrowthMax,
      },
    ],
    tables: [
      {
        caption: 'Times',
        head: ['', 'how often', 'p50 / p95 / worst, ms'],
        rows: Object.entries({
          'start to first messages': starts,
          'switch of conversations': switches,
          'key to paint': flow.keyMs,
        }).map(([what, taken]) => [
          what,
          `${taken.total}`,
          [0.5, 0.95, 1].map(share => show(taken.quantile(share))).join(' / '),
        ]),
      },
      {
        caption: 'Memory of the page',
        head: ['seconds', 'messages', 'MB at the beginning', 'half-way', 'at the end'],
        rows: [[show(flow.seconds), `${flow.received}`, ...flow.heapMb.map(show)]],
      },
    ],
    notes: [],
    raw: {
      starts: starts.encoded(),
      climbed,
      switches: switches.encoded(),
      seen,
      flow: { ...flow, keyMs: flow.keyMs.encoded() },
    },
  }
}

async function measureStarts({ context, url }: Stage, conversation: string, times: number): Promise<Histogram> {
  const starts = new Histogram()
  // The first one fills the cache of the browser, as the first visit of a person does.
  for (let nth = 0; nth <= times; nth++) {
    const page = await context.newPage()
    await page.addInitScript(noteFirstMessages)
    await page.goto(`${url}/c/${conversation}`)
    const tookMs = await until(() => page.evaluate<number | undefined>('window.firstMessagesMs'), {
      what: 'the first messages are painted',
    })
    if (nth > 0) starts.record(tookMs)
    await page.close()
  }
  return starts
}

async function measureSwitches(page: Page, conversations: readonly string[], rounds: number): Promise<Histogram> {
  const switches = new Histogram()
  for (let round = 0; round <= rounds; round++)
    for (const conversation of conversations) {
      const tookMs = await page.evaluate<number>(switchTo(conversation))
      if (round > 0) switches.record(tookMs)
      await pause(100)
    }
  return switches
}

async function measureSends(page: Page, count: number): Promise<number> {
  let seen = 0
  for (let nth = 0; nth < count; nth++) {
    const { isSeen, isEmpty } = await page.evaluate<SentAndSeen>(sendAndLook(`measured ${nth}.`))
    if (isSeen && isEmpty) seen++
    // Slower than people are limited to.
    await pause(60)
  }
  return seen
}

/** Others write while keys are pressed. */
async function measureFlow(page: Page, others: readonly Client[], conversation: string, seconds: number) {
  const session = await page.context().newCDPSession(page)
  const heapMb = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    return usedSize / 1e6
  }
  await page.evaluate(noteKeys)
  const composer = page.locator('[data-conversation-pane] [data-composer] textarea')
  await composer.focus()
  const before = await heapMb()
  const beganAt = performance.now()
  let endsAt = beganAt + seconds * 1_000
  let received = 0
  const writing = others.map(async (client, nth) => {
    const everyMs = (1_000 * others.length) / messagesPerSecond
    for (let at = beganAt + nth * (everyMs / others.length); at < endsAt; at += everyMs) {
      await pause(Math.max(0, at - performance.now()))
      client.send({ conversation, body: { text: `Written at ${at}, and long enough to be a sentence.` } })
      received++
    }
  })
  let keys = 0
  let halfway: number | undefined
  try {
    while (performance.now() < endsAt) {
      await page.keyboard.type('word ', { delay: 40 })
      keys += 5
      if (keys % 100 === 0) await composer.fill('')
      if (halfway === undefined && performance.now() > (beganAt + endsAt) / 2) halfway = await heapMb()
    }
  } finally {
    // Nobody writes on while a failure is tidied up after: that would hide it.
    endsAt = performance.now()
    await Promise.all(writing)
  }
  const noted = await page.evaluate<number[]>('window.keyMs')
  const keyMs = new Histogram()
  for (const tookMs of noted) keyMs.record(tookMs)
  // What is painted within two frames is not told.
  for (let nth = noted.length; nth < keys; nth++) keyMs.record(16)
  return { seconds, received, keyMs, heapMb: [before, halfway ?? before, await heapMb()] }
}
