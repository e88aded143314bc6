/**
 * Thousands of people on a deployment, from the side of the test: their processes, what is counted over all of them, and
 * the judgement at the end.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dropFolder, makeFolder, settle } from '@flotilla/testing'
import { Histogram, type Person, type Remote, startRemote } from '@flotilla/testing/load'
import { type ComingsCounts, sumComings, sumMaps } from './comings.ts'
import type { PeoplePlan, PeopleProgram, Way } from './people-program.ts'
import type { Judgement, StorePlan, StoreProgram } from './store-program.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

export type Store = Remote<StoreProgram>

/** @param launcher puts the process into the network of the deployment */
export const startStore = (plan: StorePlan, launcher: readonly string[] = []): Promise<Store> =>
  startRemote({ name: 'of the store', main, args: ['store'], launcher, plan })

export interface LoadOptions {
  /** Begins the names of its devices. */
  readonly name: string
  readonly store: Store
  readonly way: Way
  readonly people: number
  readonly groupSize: number
  readonly processes: number
  readonly launcher?: readonly string[]
}

/** What was counted since the mark, over all processes. */
export interface LoadCounts {
  readonly comings: ComingsCounts
  readonly acks: Histogram
  readonly acknowledged: number
  /** Of the busiest process: the share of a core that it used. */
  readonly loadShare: number
}

/** How many clients each node had at a time. */
export interface Sample {
  readonly atMs: number
  readonly nodes: ReadonlyMap<string, number>
}

export interface Sampling {
  /** What was seen so far. */
  samples(): readonly Sample[]
  /** @throws Error when it could not look */
  end(): void
}

export interface Load {
  readonly people: number
  /** Connects the first so many, if they are not connected yet. Resolves when all of them are live. */
  connect(upTo: number, perSecond: number): Promise<void>
  /** All but the first so many go home. */
  leave(downTo: number, perSecond: number): Promise<void>
  talk(messagesPerSecond: number): Promise<void>
  hush(): Promise<void>
  /** Counts from now on. */
  mark(): Promise<void>
  counts(): Promise<LoadCounts>
  nodes(): Promise<Map<string, number>>
  /** Looks at the nodes every second from now on. */
  sample(): Sampling
  /** Cuts every connection at once. */
  cut(): Promise<void>
  /** From now on breaks single connections off, so many a second; 0 ends it. */
  cutSome(perSecond: number): Promise<void>
  /** Ends the talk, waits until everybody has everything, and lets the checker decide. */
  judge(withinMs: number): Promise<Judgement>
  stop(): Promise<void>
}

interface Part {
  readonly remote: Remote<PeopleProgram>
  readonly from: number
  readonly to: number
  readonly historyPath: string
}

const sampleMs = 1_000

export async function startLoad(options: LoadOptions): Promise<Load> {
  const { name, store, way, processes, launcher = [], groupSize } = options
  const people = await store.call('people', { count: options.people, groupSize, name })
  const folder = makeFolder(`load-${name}`)
  const size = Math.ceil(people.length / processes)
  const parts = await Promise.all(
    Array.from({ length: processes }, async (_, nth): Promise<Part> => {
      const [from, to] = [nth * size, Math.min(people.length, (nth + 1) * size)]
      const historyPath = join(folder, `history-${nth}`)
      const plan: PeoplePlan = { people: people.slice(from, to), way, first: from, historyPath }
      const remote = await startRemote<PeopleProgram>({ name: `of ${name}`, main, args: ['people'], launcher, plan })
      return { remote, from, to, historyPath }
    }),
  )
  let connected = 0

  /** Each process takes its share of those between two numbers. */
  const eachBetween = (from: number, to: number, work: (part: Part, from: number, to: number) => Promise<void>) =>
    Promise.all(
      parts.map(part => {
        const [first, last] = [Math.max(from, part.from), Math.min(to, part.to)]
        return first < last ? work(part, first - part.from, last - part.from) : Promise.resolve()
      }),
    )
  const nodes = async () => sumMaps(await Promise.all(parts.map(part => part.remote.call('nodes'))))

  return {
    people: people.length,
    async connect(upTo, perSecond) {
      const [from, to] = [connected, Math.max(connected, upTo)]
      connected = to
      await eachBetween(from, to, (part, first, last) =>
        part.remote.call('connect', first, last, (perSecond * (last - first)) / (to - from)),
      )
    },
    async leave(downTo, perSecond) {
      const [from, to] = [Math.min(connected, downTo), connected]
      connected = from
      await eachBetween(from, to, (part, first, last) =>
        part.remote.call('leave', first, last, (perSecond * (last - first)) / (to - from)),
      )
    },
    async talk(messagesPerSecond) {
      await eachBetween(0, connected, (part, first, last) =>
        part.remote.call('talk', (messagesPerSecond * (last - first)) / connected),
      )
    },
    hush: () => everyPart(parts, remote => remote.call('hush')),
    mark: () => everyPart(parts, remote => remote.call('mark')),
    counts: async () => sumCounts(await Promise.all(parts.map(part => part.remote.call('counts')))),
    nodes,
    sample: () => sampleNodes(nodes),
    cut: () => everyPart(parts, remote => remote.call('cut')),
    cutSome: perSecond => everyPart(parts, remote => remote.call('cutSome', perSecond / parts.length)),
    async judge(withinMs) {
      await everyPart(parts, remote => remote.call('hush'))
      await settle({
        withinMs,
        everyMs: 250,
        heads: () => store.call('heads'),
        unanswered: async () => sum(await Promise.all(parts.map(part => part.remote.call('unanswered')))),
        behind: async heads =>
          (await Promise.all(parts.map(part => part.remote.call('behind', ownHeads(heads, people, part))))).flat(),
      })
      await everyPart(parts, remote => remote.call('closeHistory'))
      const conversations = [...new Set(people.flatMap(person => person.conversations))]
      return store.call(
        'check',
        parts.map(part => part.historyPath),
        conversations,
      )
    },
    async stop() {
      await Promise.all(parts.map(part => part.remote.call('finish').catch(() => {})))
      await Promise.all(parts.map(part => part.remote.stop()))
      dropFolder(folder)
    },
  }
}

const sum = (counts: readonly number[]) => counts.reduce((total, one) => total + one, 0)

async function everyPart(
  parts: readonly Part[],
  call: (remote: Remote<PeopleProgram>) => Promise<void>,
): Promise<void> {
  await Promise.all(parts.map(part => call(part.remote)))
}

/** The heads of the conversations that people of this process are in. */
function ownHeads(heads: ReadonlyMap<string, number>, people: readonly Person[], part: Part): Map<string, number> {
  const own = people.slice(part.from, part.to).flatMap(person => person.conversations)
  return new Map(own.map(conversation => [conversation, heads.get(conversation) ?? 0]))
}

function sumCounts(counts: readonly Awaited<ReturnType<PeopleProgram['counts']>>[]): LoadCounts {
  return {
    comings: sumComings(counts.map(one => one.comings)),
    acks: new Histogram(...counts.map(one => one.ackMs)),
    acknowledged: sum(counts.map(one => one.acknowledged)),
    loadShare: Math.max(...counts.map(one => one.loadShare)),
  }
}

function sampleNodes(nodes: () => Promise<ReadonlyMap<string, number>>): Sampling {
  const samples: Sample[] = []
  let failed: Error | undefined
  const timer = setInterval(() => {
    nodes().then(
      found => void samples.push({ atMs: Date.now(), nodes: found }),
      (error: unknown) => {
        failed = new Error(`unable to look at the nodes: ${String(error)}`, { cause: error })
      },
    )
  }, sampleMs)
  return {
    samples: () => samples,
    end() {
      clearInterval(timer)
      if (failed !== undefined) throw failed
    },
  }
}
