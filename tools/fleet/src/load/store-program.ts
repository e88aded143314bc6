/**
 * The side of the store, in a process of its own: makes the people of a load by SQL, knows how far their conversations
 * are, and judges their histories. It runs where the database is, which may be a network that the test is not in.
 */
import { parseSecretKeys } from '@flotilla/service'
import { checkAgainstStore, makePeople, openTestChat, type Person, readHeads, type TestChat } from '@flotilla/testing'
import { readHistory } from '@flotilla/testing/load'

export interface StorePlan {
  readonly databaseUrl: string
  readonly masterKeys: string
}

/** What the checker found. */
export interface Judgement {
  readonly records: number
  readonly violations: number
  /** The first of them. */
  readonly examples: readonly string[]
}

const examplesMax = 20

export class StoreProgram {
  readonly #chat: Promise<TestChat>

  constructor({ databaseUrl, masterKeys }: StorePlan) {
    this.#chat = openTestChat(databaseUrl, { masterKeys: parseSecretKeys(masterKeys) })
  }

  async people(options: { count: number; groupSize: number; name: string }): Promise<Person[]> {
    return makePeople((await this.#chat).ctx.pool, options)
  }

  async heads(): Promise<Map<string, number>> {
    return readHeads((await this.#chat).ctx.pool)
  }

  async check(historyPaths: readonly string[], conversations: readonly string[]): Promise<Judgement> {
    const { ctx } = await this.#chat
    const parts = await Promise.all(historyPaths.map(readHistory))
    const records = parts.flat()
    const violations = await checkAgainstStore(records, ctx, conversations)
    return {
      records: records.length,
      violations: violations.length,
      examples: violations.slice(0, examplesMax).map(({ promise, what }) => `${promise}: ${what}`),
    }
  }

  async close(): Promise<void> {
    await (await this.#chat).close()
  }
}
