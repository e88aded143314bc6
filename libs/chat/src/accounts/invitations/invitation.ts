/** An invitation, as whoever made it sees it: everything but the code. */
import type { Invitation } from '@flotilla/protocol'
import { placeOf } from '../../store/paging.ts'

export interface InvitationRow {
  id: string
  user_id: string
  by_operator: boolean
  uses_max: number
  used_count: number
  created_at: number
  expires_at: number
  place: number
}

const ms = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8 AS ${column}`

export const invitationColumns = `id, user_id, by_operator, uses_max, used_count, ${ms('created_at')}, ${ms('expires_at')},
  ${placeOf('created_at')} AS place`

export const toInvitation = (row: InvitationRow): Invitation => ({
  id: row.id,
  user: row.user_id,
  byOperator: row.by_operator,
  uses: row.uses_max,
  used: row.used_count,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})
