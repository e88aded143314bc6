import type { Draft } from '@flotilla/protocol'
import { decodeId, fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { draftColumns, type DraftRow, toDraft } from './draft.ts'

export interface DraftPage {
  readonly drafts: readonly Draft[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

const pageMax = 100

/**
 * What the caller has begun to write, without what was emptied.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: Pick<LogContext, 'pool' | 'seal'>,
  by: string,
  input: { after?: string | undefined },
): Promise<DraftPage> {
  const after = input.after === undefined ? undefined : decodeId(input.after)
  const { rows } = await ctx.pool.query<DraftRow>({
    name: 'drafts-page',
    text: `SELECT ${draftColumns} FROM drafts d
            WHERE d.user_id = $1 AND d.body IS NOT NULL AND ($2::uuid IS NULL OR d.conversation_id > $2)
            ORDER BY d.conversation_id LIMIT ${pageMax + 1}`,
    values: [by, after],
  })
  await ctx.seal.ready(new Set(rows.flatMap(row => row.key_id ?? [])))
  const drafts = fitting(rows.slice(0, pageMax).map(row => toDraft(ctx.seal, by, row)))
  return { drafts, ...(drafts.length < rows.length ? { next: drafts.at(-1)!.conversation } : {}) }
}
