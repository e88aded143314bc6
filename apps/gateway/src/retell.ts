/**
 * Changes of conversations that the pulse found in the store are told to the devices here once more, as heads: whoever
 * made a change may have died, or lost Redis, between the commit and the telling. A device that has the entry does
 * nothing, one that lacks it asks, and one whose person was removed is told so by the answer.
 */
import { type ChatContext, type ConversationChange, sync } from '@flotilla/chat'
import { headsFrames } from './heads-frames.ts'
import type { Healer } from './heal.ts'
import type { Hub } from './hub.ts'

/** The entry itself is usually on its way: what came by then needs no second telling. */
const graceMs = 300
const usersAtOnceMax = 500
const retryMs = 1_000
/** Longer than it may take from asking about somebody to their being here. */
const namedKeptMs = 60_000

export interface RetellOptions {
  readonly chat: ChatContext
  readonly hub: Hub
  readonly healer: Healer
  onFault(error: unknown): void
}

export interface Retelling {
  /**
   * Somebody has come here of whom the store was asked since then (by performance.now()): what was changed meanwhile, the
   * answer did not know, and they were not here to be told. Resolves when they are in what they are in.
   */
  entered(user: string, askedAt: number): Promise<void>
  stop(): void
}

/** A change that names somebody, and when it was found. */
interface Named {
  readonly foundAt: number
  readonly change: ConversationChange
}

/** Who was named by the changes of the last while, for those who were on their way here meanwhile. */
function createNamed() {
  /** By person; the older half is dropped as a whole. */
  let named = new Map<string, Named[]>()
  let formerlyNamed = new Map<string, Named[]>()
  let namedSince = performance.now()
  return {
    remember(changes: readonly ConversationChange[]): void {
      const foundAt = performance.now()
      if (foundAt - namedSince > namedKeptMs) {
        formerlyNamed = named
        named = new Map()
        namedSince = foundAt
      }
      for (const change of changes)
        for (const user of change.users) {
          const known = named.get(user)
          if (known === undefined) named.set(user, [{ foundAt, change }])
          else known.push({ foundAt, change })
        }
    },
    since: (user: string, at: number): ConversationChange[] =>
      [...(formerlyNamed.get(user) ?? []), ...(named.get(user) ?? [])]
        .filter(({ foundAt }) => foundAt >= at)
        .map(({ change }) => change),
  }
}

export function retellChanges({ chat, hub, healer, onFault }: RetellOptions): Retelling {
  const named = createNamed()
  let stopped = false
  const isStopped = () => stopped

  /** Those who are here of everybody who must know of a change. Whoever came or went may have been missed by name. */
  async function concerned(change: ConversationChange): Promise<Set<string>> {
    const here = change.users.filter(user => hub.has(user))
    if (here.length > 0) void hub.followMembership(change.conversation, here, change.version)
    if (hub.heard(change)) return new Set(here)
    const local = hub.localMembers(change.conversation)
    if (local !== undefined) return new Set([...here, ...local])
    const membership = await chat.memberships.of(change.conversation)
    return new Set([...here, ...(membership?.users ?? []).filter(user => hub.has(user))])
  }

  async function tell(changes: readonly ConversationChange[]): Promise<void> {
    const headsOf = new Map<string, Map<string, number>>()
    for (const change of changes) {
      for (const user of await concerned(change)) {
        const heads = headsOf.get(user) ?? new Map<string, number>()
        heads.set(change.conversation, Math.max(change.seq, heads.get(change.conversation) ?? 0))
        headsOf.set(user, heads)
      }
    }
    const epoch = chat.epoch()
    for (const [user, seqs] of headsOf) {
      const heads = [...seqs].map(([conversation, head]) => ({ conversation, head }))
      for (const frame of headsFrames(epoch, heads)) hub.tell(user, frame)
    }
  }

  /** Nobody knows what was changed meanwhile: which conversations of the people here go by interest is read anew. */
  async function readInterests(): Promise<void> {
    const users = [...hub.users()]
    for (let from = 0; from < users.length; from += usersAtOnceMax)
      for (const { user, ...member } of await sync.interestsOf(chat, users.slice(from, from + usersAtOnceMax)))
        hub.enter(user, member)
    hub.readAllAnew()
  }

  /** The pulse does not name anything again: what fails is done until the store has answered. */
  async function untilDone(work: () => Promise<void>): Promise<void> {
    while (!isStopped()) {
      try {
        return await work()
      } catch (error) {
        onFault(error)
        await new Promise(resolve => setTimeout(resolve, retryMs))
      }
    }
  }

  chat.pulse.onChanged(changes => {
    named.remember(changes)
    for (const { conversation, version } of changes) hub.learnMembership(conversation, version)
    setTimeout(() => void untilDone(() => tell(changes)), graceMs)
  })
  chat.pulse.onOverrun(ageMs => void untilDone(readInterests).then(() => healer.suspect(ageMs)))
  return {
    async entered(user, askedAt) {
      for (const change of named.since(user, askedAt))
        await hub.followMembership(change.conversation, [user], change.version)
    },
    stop() {
      stopped = true
    },
  }
}
