import type { ConversationRequest } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'
import { decodePlace, type PageOf, pageMax, type PageWanted, toPage } from '../../store/paging.ts'
import { type RequestDirection, readRequestPage } from './read.ts'

/**
 * Into which conversations the caller is asked, or asks others; the latest first.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly direction: RequestDirection },
): Promise<PageOf<'requests', ConversationRequest>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const found = await readRequestPage(ctx, by, input.direction, after, limit + 1)
  return toPage('requests', found, limit, ({ place: _place, ...request }) => request)
}
