/** Bystanders: what they notice of an attack, beside what they noticed just before it. */
import { fileURLToPath } from 'node:url'
import { makeConversations } from '@flotilla/testing'
import { Histogram, startRemote } from '@flotilla/testing/load'
import type { Bystander, BystanderProgram, BystandersPlan } from './bystander-program.ts'
import type { Stand } from './stand.ts'

/** What they noticed since the mark. */
export interface Noticed {
  readonly p99Ms: number
  readonly restP99Ms: number
  readonly messages: number
  /** Requests refused, sends refused, connections cut. */
  readonly refused: number
}

export interface Bystanders {
  mark(): Promise<void>
  read(): Promise<Noticed>
  stop(): Promise<void>
}

const pairCount = 40
const messagesPerSecond = 80
const main = fileURLToPath(new URL('./bystander-program.ts', import.meta.url))

export async function startBystanders(stand: Stand): Promise<Bystanders> {
  const people = await stand.people(pairCount * 2)
  const pairs = Array.from({ length: pairCount }, (_, nth) => [people[nth * 2]!, people[nth * 2 + 1]!] as const)
  const conversations = await makeConversations(
    stand.pool,
    pairs.map(pair => ({ kind: 'direct', members: pair.map(one => one.user) })),
  )
  const plain = ({ user, session, from }: Bystander): Bystander => ({ user, session, from })
  const plan: BystandersPlan = {
    api: stand.api,
    sockets: [stand.gateways[0]!.directUrl, stand.gateways[1]!.directUrl],
    tokenKeys: stand.settings['TOKEN_KEYS']!,
    pairs: pairs.map(([one, other], nth) => ({
      people: [plain(one), plain(other)],
      conversation: conversations[nth]!,
    })),
    messagesPerSecond,
  }
  const remote = await startRemote<BystanderProgram>({ name: 'of the bystanders', main, plan })
  await remote.call('start')
  return {
    mark: () => remote.call('mark'),
    async read() {
      const counts = await remote.call('read')
      return {
        p99Ms: new Histogram(counts.messageMs).quantile(0.99),
        restP99Ms: new Histogram(counts.restMs).quantile(0.99),
        messages: counts.messages,
        refused: counts.restRefused + counts.sendsRefused + counts.cut,
      }
    },
    async stop() {
      await remote.call('stop').catch(() => {})
      await remote.stop()
    },
  }
}
