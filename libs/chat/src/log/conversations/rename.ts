import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { type Changed, change } from './change.ts'

/**
 * Gives a group another name.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function rename(
  ctx: LogContext,
  by: string,
  input: { conversation: string; name: string },
): Promise<Changed> {
  const name = checkName(input.name, 'name')
  return change(ctx, by, input.conversation, locked => {
    demandGroup(locked.kind)
    demandPermitted(locked.rules, 'edit', locked.role)
    return { event: 'conversation.renamed', name }
  })
}
