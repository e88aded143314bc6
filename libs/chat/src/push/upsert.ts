/** A row of `pushes`: what is to be pushed to a person of a conversation. In SQL, for `INSERT INTO pushes AS p`. */
import { goodSession } from './devices/device.ts'

/** The person has a device that could be pushed: nobody else gets a row. */
export const hasDevice = (user: string) =>
  `EXISTS (SELECT FROM devices v JOIN sessions s ON s.id = v.session_id WHERE v.user_id = ${user} AND ${goodSession})`

/** Of a row that still waits both count; what was pushed is over. */
export const joined = (column: string, choose: 'least' | 'greatest') =>
  `${column} = CASE WHEN p.due_at IS NULL THEN excluded.${column} ELSE ${choose}(p.${column}, excluded.${column}) END`
