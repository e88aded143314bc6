import type { User } from '@flotilla/protocol'
import type { AccountsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import type { ClientDevice } from '../notices/security/client-device.ts'
import { transaction } from '../store/transaction.ts'
import { checkNewUsername, isTaken, usernameTaken } from './registration/create.ts'
import { searchText } from '../text/fold.ts'
import { holdName, isNameFree } from './registration/held-names.ts'
import { tellChanged } from '../users/tell-changed.ts'

interface Row {
  id: string
  username: string
  display_name: string
  avatar: string | null
}

/**
 * Gives the caller another name; the old one is theirs to take back, and for a time nobody else's. Of two who want one name the index lets one have it.
 * @throws Refusal field_invalid, username_taken
 */
export async function changeUsername(
  ctx: AccountsContext,
  by: string,
  input: { username: string; session: string; client: ClientDevice },
): Promise<User> {
  const { session, client } = input
  const username = checkNewUsername(ctx, input.username)
  try {
    const { user, changed } = await transaction(ctx, async tx => {
      // Locked first: the text for the search is made of the display name, which may be changing too.
      const found = await tx.query<Row>(
        'SELECT id, username, display_name, avatar FROM users WHERE id = $1 FOR NO KEY UPDATE',
        [by],
      )
      const { display_name: displayName, username: before, ...rest } = found.rows[0]!
      const user: User = { ...rest, username, displayName }
      if (before === username) return { user, changed: false }
      if (!(await isNameFree(ctx, username, tx, by))) throw usernameTaken()
      await holdName(tx, before, by)
      await tx.query('UPDATE users SET username = $2, search_text = $3 WHERE id = $1', [
        by,
        username,
        searchText(username, displayName),
      ])
      const detail = { from: before, to: username }
      await note(ctx, { user: by, kind: 'username_changed', session, client, detail }, tx)
      return { user, changed: true }
    })
    if (changed) await tellChanged(ctx, user)
    return user
  } catch (error) {
    if (isTaken(error, 'username')) throw usernameTaken()
    throw error
  }
}
