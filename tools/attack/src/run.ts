/** One attack on a stand: what held, what bystanders noticed, and what memory it took. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Attack, type Check, check } from './attack.ts'
import type { Bystanders, Noticed } from './bystanders.ts'
import { residentBytesMax, watchMemory } from './memory.ts'
import type { Stand } from './stand.ts'

export interface Outcome {
  readonly attack: Attack
  readonly checks: readonly Check[]
  readonly before?: Noticed
  readonly meanwhile?: Noticed
  /** Of the process that came closest to its bound. */
  readonly resident?: { readonly name: string; readonly bytes: number }
  readonly seconds: number
}

/** How long bystanders are watched before a flood. */
const calmMs = 10_000
/** From the end of one attack to the next: what it has left behind is not the next one's. */
const restMs = 3_000

/** What one attack may take: something that it waits for without a bound of its own never comes. */
const attackMsMax = 300_000

async function withinTime<T>(running: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`unable to attack any longer: not within ${attackMsMax} ms`)),
    attackMsMax,
  )
  try {
    return await Promise.race([running, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** @param bystanders whom to ask what they notice; nobody when missing */
export async function runAttack(attack: Attack, stand: Stand, bystanders?: Bystanders): Promise<Outcome> {
  const watched = attack.isFlood === true ? bystanders : undefined
  let before: Noticed | undefined
  const processes = stand.processes()
  const memory = watchMemory(processes)
  let startedAt = performance.now()
  const begins = async () => {
    if (watched !== undefined) {
      await pause(restMs)
      await watched.mark()
      await pause(calmMs)
      before = await watched.read()
      await watched.mark()
    }
    startedAt = performance.now()
  }
  try {
    const checks = [...(await withinTime(attack.run(stand, begins)))]
    const seconds = (performance.now() - startedAt) / 1_000
    const meanwhile = await watched?.read()
    const most = [...memory.most()]
    for (const [{ name, app }, bytes] of most)
      if (bytes > residentBytesMax[app])
        checks.push(check(`${name} stays below ${inMegabytes(residentBytesMax[app])}`, false, inMegabytes(bytes)))
    for (const { name, isRunning } of processes)
      if (!isRunning()) checks.push(check(`${name} lives on`, false, 'it has ended'))
    const [fullest] = most.toSorted(
      ([a, left], [b, right]) => right / residentBytesMax[b.app] - left / residentBytesMax[a.app],
    )
    return {
      attack,
      checks,
      seconds,
      ...(before === undefined ? {} : { before }),
      ...(meanwhile === undefined ? {} : { meanwhile }),
      ...(fullest === undefined ? {} : { resident: { name: fullest[0].name, bytes: fullest[1] } }),
    }
  } finally {
    memory.stop()
    await stand.cleanUp()
  }
}

export const inMegabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`
