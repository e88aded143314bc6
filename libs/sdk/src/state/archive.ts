/**
 * What a device keeps of what was shown, so that it shows it at once the next time. It is a copy: whatever is wrong with it,
 * it is thrown away. One archive belongs to one person.
 */
import type { Conversation, Me, User } from '@flotilla/protocol'
import type { KeptLog } from './log.ts'
import type { KeptFailure } from './sends.ts'
import type { ConversationList } from './views.ts'

/** Of so many conversations the last messages are kept, so many of each; and of so many what the list shows. */
export const keptLogsMax = 30
export const keptMessagesMax = 50
export const keptConversationsMax = 200

/** Everything but the logs, which are read when they are wanted. */
export interface Kept {
  readonly user?: string
  readonly me?: Me
  readonly conversations: readonly Conversation[]
  readonly requests: Pick<ConversationList, 'requests' | 'joinRequests'>
  readonly users: readonly User[]
  readonly failures: readonly KeptFailure[]
}

/** What is written at once. What is left out stays. */
export interface KeptChange extends Partial<Omit<Kept, 'conversations'>> {
  /** By id; undefined of one that is gone. */
  readonly conversations?: ReadonlyMap<string, Conversation | undefined>
  /** By conversation. The one that was written longest ago is let go when there are too many. */
  readonly logs?: ReadonlyMap<string, KeptLog | undefined>
}

export interface ChatArchive {
  /** Undefined where there is nothing, or nothing that can be read. */
  load(): Promise<Kept | undefined>
  log(conversation: string): Promise<KeptLog | undefined>
  write(change: KeptChange): Promise<void>
  /** Leaves nothing. */
  wipe(): Promise<void>
  close(): Promise<void>
}
