import type { JoinRequest } from '@flotilla/protocol'
import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { decodePlace, type PageOf, pageMax, type PageWanted, toPage } from '../../store/paging.ts'
import { standingOf } from '../conversations/standing.ts'
import { type JoinRequestsOf, readJoinRequests, toJoinRequest } from './read.ts'

type Page = PageOf<'requests', JoinRequest>

/**
 * Who asks to join a group, the latest first.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function list(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string },
): Promise<Page> {
  const { conversation } = input
  const { kind, rules, role } = await standingOf(ctx, by, conversation)
  demandGroup(kind)
  demandPermitted(rules, 'addMembers', role)
  return page(ctx, { conversation }, input)
}

/** What the caller has sent, or may decide on in any group; the latest first. @throws Refusal field_invalid */
export const own = (
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly direction: 'sent' | 'received' },
): Promise<Page> => page(ctx, input.direction === 'sent' ? { sender: by } : { decider: by }, input)

async function page(ctx: LogContext, of: JoinRequestsOf, wanted: PageWanted): Promise<Page> {
  const limit = Math.min(wanted.limit, pageMax)
  const after = wanted.after === undefined ? undefined : decodePlace(wanted.after)
  const found = await readJoinRequests(ctx, of, { after, limit: limit + 1 })
  return toPage('requests', found, limit, toJoinRequest)
}
