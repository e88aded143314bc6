/** A draft in its row: sealed for its person and conversation. */
import type { Draft, DraftContent } from '@flotilla/protocol'
import type { Sealer } from '../../store/seal.ts'

export interface DraftRow {
  conversation: string
  at: number
  key_id: number | null
  body: Buffer | null
}

/** The columns of DraftRow, for drafts AS d. */
export const draftColumns =
  'd.conversation_id AS conversation, (extract(epoch FROM d.at) * 1000)::float8 AS at, d.key_id, d.body'

export const sealName = (user: string, conversation: string) => `draft ${user} ${conversation}`

/** The key of the row is made ready before. */
export function toDraft(seal: Sealer, user: string, { conversation, at, key_id: keyId, body }: DraftRow): Draft {
  const content =
    keyId === null || body === null
      ? null
      : (JSON.parse(seal.open(sealName(user, conversation), keyId, body)) as DraftContent)
  return { conversation, at: Math.round(at), content }
}
