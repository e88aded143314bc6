import { avatarSizes, Refusal, type User } from '@flotilla/protocol'
import type { UsersContext } from './context.ts'
import { add } from '../store/jobs/add.ts'
import { transaction } from '../store/transaction.ts'
import { takeOver, uploadKey } from '../store/uploads/uploads.ts'
import { tellChanged } from './tell-changed.ts'

/** Where the picture of this id lies in one size. */
export const avatarKey = (avatar: string, size: number) => `avatars/${avatar}-${size}.webp`

/** All that lies somewhere of a picture. */
export const avatarKeys = (avatar: string): string[] => avatarSizes.map(size => avatarKey(avatar, size))

export interface AvatarChange {
  /** Its files are stored already; null takes the picture away. */
  readonly avatar: string | null
  /** What it was made from, which is done with then. */
  readonly upload?: string | undefined
}

/**
 * The person has this picture from now on. The files of the one before go with the change: whatever becomes of this
 * process, they are deleted if and only if nothing points to them.
 * @throws Refusal upload_unknown (it was used already), user_unknown
 */
export async function changeAvatar(ctx: UsersContext, by: string, change: AvatarChange): Promise<User> {
  const { avatar, upload } = change
  const { user, changed } = await transaction(ctx, async client => {
    const found = await client.query<User>(
      `SELECT id, username, display_name AS "displayName", avatar FROM users
        WHERE id = $1 AND erased_at IS NULL FOR NO KEY UPDATE`,
      [by],
    )
    const row = found.rows[0]
    if (row === undefined) throw new Refusal('user_unknown')
    if (upload !== undefined) await takeOver(client, by, upload, 'avatar')
    const keys = [
      ...(row.avatar === null ? [] : avatarKeys(row.avatar)),
      ...(upload === undefined ? [] : [uploadKey(upload)]),
    ]
    if (keys.length > 0) await add(ctx, { kind: 'delete-files', keys }, client)
    if (row.avatar === avatar) return { user: row, changed: false }
    await client.query('UPDATE users SET avatar = $2 WHERE id = $1', [by, avatar])
    return { user: { ...row, avatar }, changed: true }
  })
  if (changed) await tellChanged(ctx, user)
  return user
}
