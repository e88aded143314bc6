import { limits, Refusal } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import { checkText } from '../names.ts'
import type { ReportDecision } from './report.ts'

/**
 * An operator has decided a report; it leaves the queue. Of two who decide at once the first one counts.
 * @throws Refusal field_invalid, report_unknown
 */
export async function decide(
  ctx: ChatContext,
  by: string,
  input: { report: string; decision: ReportDecision; note?: string | undefined },
): Promise<void> {
  const note = checkText(input.note ?? '', 'note', limits.reportCommentLengthMax)
  const decided = await ctx.pool.query(
    `UPDATE reports SET decision = $2, decision_note = $3, decided_at = now(), decided_by = $4
      WHERE id = $1 AND decision IS NULL`,
    [input.report, input.decision, note, by],
  )
  if (decided.rowCount === 0) throw new Refusal('report_unknown')
}
