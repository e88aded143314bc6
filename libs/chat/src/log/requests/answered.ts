import type { EventOf } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'

/** A request by which somebody was asked into a conversation, once it has ended. */
export interface EndedRequest {
  readonly request: string
  readonly conversation: string
  readonly from: string
  readonly to: string
}

/** As SQL: of a row that is changed or deleted, what is told of it. */
export const endedColumns = 'id AS request, conversation_id AS conversation, from_id AS from, user_id AS to'

/** After the commit. @param users who is told, each once */
export function tellAnswered(
  ctx: LogContext,
  { request, conversation }: Pick<EndedRequest, 'request' | 'conversation'>,
  answer: EventOf<'conversation.answered'>['answer'],
  users: readonly string[],
): void {
  ctx.emit({
    class: 'signal',
    to: [...new Set(users)],
    event: { event: 'conversation.answered', request, conversation, answer },
  })
}
