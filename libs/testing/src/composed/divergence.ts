/** What devices show otherwise than it stands. */
import { messages } from '@flotilla/chat'
import { type Entry, limits } from '@flotilla/protocol'
import type { FoldedViews } from '../folded-views.ts'
import type { ComposedStage } from './composed-stage.ts'
import type { SocketRecorder } from './recorded-sockets.ts'

interface Spectator {
  readonly user: string
  readonly devices: readonly { readonly name: string; readonly views: FoldedViews }[]
}

/**
 * Holds what the devices were told, folded, against what their people read anew. Everything has come to rest.
 * @returns a sentence for each message that is shown otherwise
 */
export async function findDivergence(
  stage: ComposedStage,
  sockets: SocketRecorder,
  people: readonly Spectator[],
): Promise<string[]> {
  const found: string[] = []
  for (const { user, devices } of people)
    for (const conversation of await conversationsOf(stage, user)) {
      const { entries, from } = await readAll(stage, user, conversation)
      for (const { name, views } of devices) {
        const byFormer = sockets.readByFormer(name)
        const differences = views.differences(conversation, entries, from, {
          isReadByFormer: seq => byFormer.has(`${conversation}/${seq}`),
        })
        found.push(...differences.map(what => `${name} in ${conversation} ${what}`))
      }
    }
  return found
}

async function conversationsOf({ pool }: ComposedStage, user: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT conversation_id AS id FROM members WHERE user_id = $1', [
    user,
  ])
  return rows.map(row => row.id)
}

async function readAll(
  { chat }: ComposedStage,
  user: string,
  conversation: string,
): Promise<{ entries: Entry[]; from: number }> {
  const entries: Entry[] = []
  for (let after = 0; ; after = entries.at(-1)!.seq) {
    const page = await messages.history(chat.ctx, user, { conversation, after, limit: limits.historyPageMax })
    entries.push(...page.entries)
    if (page.more !== true) return { entries, from: page.from }
  }
}
