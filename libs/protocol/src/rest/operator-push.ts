/** Push and job diagnostics for operators: the trace of each push, and dead pushes and jobs. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const State = oneOf(['waiting', 'sent', 'gone', 'dead', 'superseded', 'skipped'])

const TracedPush = named(
  'TracedPush',
  Type.Object(
    {
      id: Uuid,
      user: Uuid,
      conversation: Uuid,
      device: Uuid,
      provider: oneOf(['fcm', 'webpush']),
      fromSeq: Seq,
      uptoSeq: Seq,
      messageAt: At,
      createdAt: At,
      state: State,
      attempts: listOf(
        Type.Object(
          {
            at: At,
            answer: Type.String({
              description:
                '`sent`, `gone`, `refused`, `later`, `unclear` (it may have been accepted), `unanswered` (the worker died), `skipped`, `dead`, `retried` or `superseded`.',
            }),
            status: Type.Optional(Type.Integer()),
            reason: Type.Optional(Type.String()),
            id: Type.Optional(Type.String({ description: 'The id that the push service assigned.' })),
            retryMs: Type.Optional(Type.Number({ description: 'The retry delay that the service asked for.' })),
          },
          closed,
        ),
      ),
      dueAt: Type.Optional(At),
      finishedAt: Type.Optional(At),
    },
    { ...closed, description: 'A push to one device: its messages, attempts and outcome. Never message content.' },
  ),
)
export type TracedPush = Type.Static<typeof TracedPush>
const PushPage = Type.Object({ pushes: listOf(TracedPush), next: Type.Optional(PageCursor) }, closed)

const DeadJob = named(
  'DeadJob',
  Type.Object(
    {
      id: Uuid,
      kind: oneOf([
        'mail',
        'delete-files',
        'mention-all',
        'thread-reply',
        'tell-poll',
        'close-poll',
        'hand-on',
        'nothing',
      ]),
      createdAt: At,
      diedAt: At,
      attempts: Type.Integer({ minimum: 0 }),
      error: Type.String(),
    },
    closed,
  ),
)
export type DeadJob = Type.Static<typeof DeadJob>
const DeadJobPage = Type.Object({ jobs: listOf(DeadJob), next: Type.Optional(PageCursor) }, closed)

const page = { limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }

export const operatorPush = routes('operators', 'operator', {
  listPushes: {
    at: 'GET /v1/operator/pushes',
    summary: 'List pushes',
    description: 'Newest first, with every attempt. Kept for a week.',
    query: Type.Object(
      {
        ...page,
        user: Type.Optional(Uuid),
        conversation: Type.Optional(Uuid),
        state: Type.Optional(State),
      },
      closed,
    ),
    answers: { 200: answered('A page of pushes.', PushPage) },
  },
  listDeadPushes: {
    at: 'GET /v1/operator/dead-pushes',
    summary: 'List dead pushes',
    description: 'Pushes that failed permanently, newest first.',
    query: Type.Object(page, closed),
    answers: { 200: answered('A page of pushes.', PushPage) },
  },
  retryPush: {
    at: 'POST /v1/operator/dead-pushes/{id}/retry',
    summary: 'Retry a dead push',
    description: 'Messages read in the meantime are skipped, and nothing is sent twice within the collapse window.',
    params: ById,
    answers: done('Queued again.'),
    refusals: ['push_unknown'],
  },
  listDeadJobs: {
    at: 'GET /v1/operator/dead-jobs',
    summary: 'List dead jobs',
    description:
      'Jobs that failed permanently, such as undeliverable mail, newest first. Their payload stays encrypted. Kept for 30 days.',
    query: Type.Object(page, closed),
    answers: { 200: answered('A page of jobs.', DeadJobPage) },
  },
  retryJob: {
    at: 'POST /v1/operator/dead-jobs/{id}/retry',
    summary: 'Retry a dead job',
    description: 'Starts over with the full number of attempts.',
    params: ById,
    answers: done('Queued again.'),
    refusals: ['job_unknown'],
  },
})
