import { limits, type GroupSettings, type Permissions } from '@flotilla/protocol'
import { demandGroup, demandMayChange, demandNoLonger } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { checkText } from '../../text/names.ts'
import { type Changed, change } from './change.ts'

export interface GroupChange extends Partial<Omit<GroupSettings, 'avatar' | 'permissions'>> {
  readonly permissions?: Partial<Permissions>
}

/**
 * Describes a group, and says who in it may do what. What is left out stays.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function changeGroup(
  ctx: LogContext,
  by: string,
  input: { readonly conversation: string } & GroupChange,
): Promise<Changed> {
  const { conversation, permissions, ...wanted } = input
  const { description, ...others } = wanted
  const text =
    description === undefined ? {} : { description: checkText(description, 'description', limits.descriptionLengthMax) }
  const sets = Object.keys(others).length > 0
  demandNoLonger('editWindowMs', others.editWindowMs, ctx.settings.editWindowMs)
  demandNoLonger('deleteWindowMs', others.deleteWindowMs, ctx.settings.deleteWindowMs)
  return change(ctx, by, conversation, ({ kind, rules, role }) => {
    demandGroup(kind)
    demandMayChange(rules, role, { describes: description !== undefined, permits: permissions !== undefined, sets })
    if (Object.keys(wanted).length === 0 && permissions === undefined) return undefined
    const all = permissions === undefined ? {} : { permissions: { ...rules.permissions, ...permissions } }
    return { event: 'conversation.changed', ...text, ...others, ...all }
  })
}
