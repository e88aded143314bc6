import { limits, type Me, Refusal } from '@flotilla/protocol'
import type { UsersContext } from './context.ts'
import { checkText } from '../text/names.ts'
import { transaction } from '../store/transaction.ts'
import { checkDisplayName } from './display-name.ts'
import { searchText } from '../text/fold.ts'
import { me } from './me.ts'
import { tellChanged } from './tell-changed.ts'

export interface ProfileChange {
  readonly displayName?: string | undefined
  readonly about?: string | undefined
}

interface Row {
  username: string
  display_name: string
  about: string
}

/**
 * What is left out stays.
 * @throws Refusal field_invalid, user_unknown
 */
export async function changeProfile(ctx: UsersContext, by: string, change: ProfileChange): Promise<Me> {
  const displayName = change.displayName === undefined ? undefined : checkDisplayName(ctx, change.displayName)
  const about = change.about === undefined ? undefined : checkText(change.about, 'about', limits.aboutLengthMax)
  const renamed = await transaction(ctx, async client => {
    // The row is held, since the text to search by is made of two columns that can be changed apart.
    const found = await client.query<Row>(
      'SELECT username, display_name, about FROM users WHERE id = $1 AND erased_at IS NULL FOR NO KEY UPDATE',
      [by],
    )
    const row = found.rows[0]
    if (row === undefined) throw new Refusal('user_unknown')
    const name = displayName ?? row.display_name
    await client.query('UPDATE users SET display_name = $2, search_text = $3, about = $4 WHERE id = $1', [
      by,
      name,
      searchText(row.username, name),
      about ?? row.about,
    ])
    return name !== row.display_name
  })
  const changed = await me(ctx, by)
  if (renamed) await tellChanged(ctx, changed)
  return changed
}
