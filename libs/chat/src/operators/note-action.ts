/**
 * The audit trail of the operators: who did what, to whom, why and when. A line is written in the transaction of the act and
 * never changed.
 */
import { randomUUID } from 'node:crypto'
import { limits, type OperatorAction, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { checkText } from '../text/names.ts'

/** Who acts: an operator who is signed in, or whoever has the configuration, by the name that the system gives them. */
export type Actor = { readonly operator: string } | { readonly program: string }

export interface ActionLine {
  readonly action: OperatorAction
  readonly reason: string
  /** Whom it is about. */
  readonly user?: string | undefined
  readonly conversation?: string | undefined
  readonly seq?: number | undefined
  /** Short facts, never what was said. */
  readonly detail?: Readonly<Record<string, string>> | undefined
}

export async function noteAction(tx: Pick<PoolClient, 'query'>, by: Actor, line: ActionLine): Promise<void> {
  const { action, reason, user, conversation, seq, detail = {} } = line
  const [operator, program] = 'operator' in by ? [by.operator, ''] : [null, by.program]
  await tx.query(
    `INSERT INTO operator_actions (id, operator_id, program, action, user_id, conversation_id, seq, reason, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      randomUUID(),
      operator,
      program,
      action,
      user ?? null,
      conversation ?? null,
      seq ?? null,
      reason,
      JSON.stringify(detail),
    ],
  )
}

/**
 * Why somebody acts; nobody acts without. The person concerned reads it.
 * @throws Refusal field_invalid
 */
export function checkReason(given: string): string {
  const reason = checkText(given, 'reason', limits.reportCommentLengthMax)
  if (reason !== '') return reason
  const rule = 'minLength 1'
  throw new Refusal('field_invalid', `reason: invalid (${rule})`, { field: 'reason', rule })
}
