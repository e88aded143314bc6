import type { Device } from '@flotilla/protocol'
export interface DeviceRow {
  id: string
  session_id: string
  name: string
  platform: Device['platform']
  provider: Device['provider']
  created_at: Date
  seen_at: Date
}

/** The columns of DeviceRow, of devices AS d. */
export const deviceColumns = 'd.id, d.session_id, d.name, d.platform, d.provider, d.created_at, d.seen_at'

/** A device counts only while this holds of its session, sessions AS s. */
export const goodSession = '(s.revoked_at IS NULL AND s.expires_at > now())'

export const lastSeen = 'greatest(d.seen_at, s.seen_at)'

export const toDevice = (row: DeviceRow, session: string): Device => ({
  id: row.id,
  name: row.name,
  platform: row.platform,
  provider: row.provider,
  createdAt: row.created_at.getTime(),
  seenAt: row.seen_at.getTime(),
  current: row.session_id === session,
})
