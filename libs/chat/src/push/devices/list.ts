import type { Device } from '@flotilla/protocol'
import type { PushContext } from '../context.ts'
import { deviceColumns, type DeviceRow, goodSession, lastSeen, toDevice } from './device.ts'

/** The caller's devices, the last seen first: at most `devicesMax` of the settings. */
export async function list(ctx: PushContext, by: { user: string; session: string }): Promise<Device[]> {
  const found = await ctx.pool.query<DeviceRow>(
    `SELECT ${deviceColumns.replace('d.seen_at', `${lastSeen} AS seen_at`)}
       FROM devices d JOIN sessions s ON s.id = d.session_id
      WHERE d.user_id = $1 AND ${goodSession} ORDER BY ${lastSeen} DESC, d.id LIMIT $2`,
    [by.user, ctx.settings.devicesMax],
  )
  return found.rows.map(row => toDevice(row, by.session))
}
