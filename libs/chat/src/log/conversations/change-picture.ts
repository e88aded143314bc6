import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { add } from '../../store/jobs/add.ts'
import { takeOver, uploadKey } from '../../store/uploads/uploads.ts'
import { type AvatarChange, avatarKeys } from '../../users/change-avatar.ts'
import { type Changed, change } from './change.ts'
import { standingOf } from './standing.ts'

/**
 * Before anything is made of a picture, which takes time: most refusals are known without it.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function demandMayChangePicture(ctx: LogContext, by: string, conversation: string): Promise<void> {
  const { kind, rules, role } = await standingOf(ctx, by, conversation)
  demandGroup(kind)
  demandPermitted(rules, 'edit', role)
}

/**
 * The group has this picture from now on. The files of the one before go with the change, as those of people's do.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, upload_unknown (it was used already)
 */
export function changePicture(
  ctx: LogContext,
  by: string,
  input: { readonly conversation: string } & AvatarChange,
): Promise<Changed> {
  const { conversation, avatar, upload } = input
  return change(ctx, by, conversation, async ({ kind, rules, role, client }) => {
    demandGroup(kind)
    demandPermitted(rules, 'edit', role)
    const found = await client.query<{ avatar: string | null }>('SELECT avatar FROM conversations WHERE id = $1', [
      conversation,
    ])
    const before = found.rows[0]!.avatar
    if (upload !== undefined) await takeOver(client, by, upload, 'avatar')
    const keys = [...(before === null ? [] : avatarKeys(before)), ...(upload === undefined ? [] : [uploadKey(upload)])]
    if (keys.length > 0) await add(ctx, { kind: 'delete-files', keys }, client)
    return before === avatar ? undefined : { event: 'conversation.changed', avatar }
  })
}
