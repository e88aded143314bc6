/** Heads as frames: somebody may be in more conversations than one frame should tell of. */
import { type ConversationHead, type Event, limits } from '@flotilla/protocol'

export function* headsFrames(epoch: number, heads: readonly ConversationHead[]): Generator<string> {
  const max = limits.resumeConversationsMax
  for (let from = 0; from < heads.length; from += max)
    yield JSON.stringify({ event: 'sync.heads', epoch, heads: heads.slice(from, from + max) } satisfies Event)
}
