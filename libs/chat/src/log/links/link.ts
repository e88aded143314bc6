/** An invite link, as those see it who may add people: everything but the token. */
import type { InviteLink } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { placeOf } from '../../store/paging.ts'

export interface LinkRow {
  id: string
  by_id: string
  uses_max: number | null
  used_count: number
  approval: boolean
  created_at: number
  expires_at: number
  place: number
}

const ms = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8 AS ${column}`

export const linkColumns = `id, by_id, uses_max, used_count, approval, ${ms('created_at')}, ${ms('expires_at')},
  ${placeOf('created_at')} AS place`

/** One that can be used, as far as its own row tells. */
export const goodLink = '(uses_max IS NULL OR used_count < uses_max) AND expires_at > now()'

export const toLink = (row: LinkRow): InviteLink => ({
  id: row.id,
  by: row.by_id,
  uses: row.uses_max,
  used: row.used_count,
  approval: row.approval,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

/** Counts a use. @param client of a transaction that holds the conversation, so that nobody else counts at once */
export async function spend(client: PoolClient, link: string): Promise<void> {
  await client.query('UPDATE invite_links SET used_count = used_count + 1 WHERE id = $1', [link])
}
