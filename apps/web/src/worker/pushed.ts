/** What a push says, as the worker shows it. */

export interface Shown {
  readonly title: string
  readonly body: string
  /** Where pressing it leads. */
  readonly path: string
  /** A later push of the same conversation takes its place. */
  readonly tag: string
  /** How much waits in all. */
  readonly badge: number
}

/** @returns undefined of what no server of ours has sent */
export function readPush(text: string): Shown | undefined {
  let said: Partial<Record<string, unknown>>
  try {
    said = Object(JSON.parse(text)) as typeof said
  } catch {
    return undefined
  }
  const { title, body, conversation, badge } = said
  if (typeof title !== 'string' || typeof body !== 'string' || typeof conversation !== 'string') return undefined
  const count = Number(badge)
  return {
    title,
    body,
    path: `/c/${encodeURIComponent(conversation)}${searchOf(said)}`,
    tag: conversation,
    badge: Number.isSafeInteger(count) && count > 0 ? count : 0,
  }
}

/** Replies lead to their thread, and a reminder to its message. */
function searchOf({ kind, thread, uptoSeq }: Partial<Record<string, unknown>>): string {
  if (Number(thread) > 0) return `?thread=${Number(thread)}`
  return kind === 'reminder' && Number(uptoSeq) > 0 ? `?message=${Number(uptoSeq)}` : ''
}
