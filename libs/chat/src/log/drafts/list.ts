import { type Draft, Refusal } from '@flotilla/protocol'
import { fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { draftColumns, type DraftRow, toDraft } from './draft.ts'

export interface DraftPage {
  readonly drafts: readonly Draft[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

const pageMax = 100
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * What the caller has begun to write, without what was emptied.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: Pick<LogContext, 'pool' | 'seal'>,
  by: string,
  { after }: { after?: string | undefined },
): Promise<DraftPage> {
  if (after !== undefined && !idPattern.test(after))
    throw new Refusal('field_invalid', 'after: must be `next` of another page', {
      field: 'after',
      rule: '`next` of another page',
    })
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
