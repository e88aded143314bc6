import { limits, Refusal, type ReportDecision } from '@flotilla/protocol'
import type { OperatorsContext } from '../context.ts'
import { checkText } from '../../text/names.ts'
import { noteAction } from '../note-action.ts'
import { transaction } from '../../store/transaction.ts'

/**
 * An operator has decided a report; it leaves the queue. Of two who decide at once the first one counts.
 * @throws Refusal field_invalid, report_unknown
 */
export async function decide(
  ctx: OperatorsContext,
  by: string,
  input: { report: string; decision: ReportDecision; note?: string | undefined },
): Promise<void> {
  const note = checkText(input.note ?? '', 'note', limits.reportCommentLengthMax)
  const { report, decision } = input
  await transaction(ctx, async tx => {
    const decided = await tx.query<{ user: string; conversation: string | null; seq: number | null }>(
      `UPDATE reports SET decision = $2, decision_note = $3, decided_at = now(), decided_by = $4
        WHERE id = $1 AND decision IS NULL RETURNING user_id AS user, conversation_id AS conversation, seq`,
      [report, decision, note, by],
    )
    const about = decided.rows[0]
    if (about === undefined) throw new Refusal('report_unknown')
    const { user, conversation, seq } = about
    const place = { conversation: conversation ?? undefined, seq: seq ?? undefined }
    const line = { action: 'report_decided', user, ...place, reason: note, detail: { report, decision } } as const
    await noteAction(tx, { operator: by }, line)
  })
}
