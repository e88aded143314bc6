/**
 * Does the jobs of the store: mail, files that nothing points to, mentions of everybody, replies in threads that many follow,
 * polls to be told or closed, groups to be handed on.
 */
import { type ChatContext, conversations, jobs, messages, security } from '@flotilla/chat'
import type { Storage } from '@flotilla/files'
import type { Logger } from '@flotilla/service'
import { type Loop, startLoop, turnOf } from './loop.ts'
import { renderMail, type WholeMail } from './mail/render.ts'
import { MailFailed, type Mailer } from './mailer.ts'
import type { WorkerMetrics } from './metrics.ts'
import { createSlots } from './slots.ts'

export interface JobRunnerOptions {
  readonly chat: ChatContext
  /** Without one no mail can be sent, and its jobs are dead at once. */
  readonly mailer: Mailer | undefined
  readonly storage: Pick<Storage, 'remove'>
  readonly publicName: string
  readonly logger: Logger
  readonly metrics: WorkerMetrics
  readonly random: () => number
  readonly settings: JobSettings
}

export interface JobSettings {
  readonly jobsAtOnceMax: number
  readonly jobAttemptsMax: number
  /** Between two attempts: doubled each time, up to the second one. */
  readonly jobRetryMs: { readonly first: number; readonly max: number }
  /** How long nobody else takes a job; longer than any job may take. */
  readonly jobLeaseMs: number
  /** Between two looks into the store. */
  readonly pollMs: { readonly busy: number; readonly idle: number }
}

export interface JobRunner {
  /** Takes no further jobs; answers when those under way have ended, at the latest after so long. */
  stop(withinMs: number): Promise<void>
}

export function startJobRunner(options: JobRunnerOptions): JobRunner {
  const { chat, logger, metrics, settings } = options
  const slots = createSlots(settings.jobsAtOnceMax)

  async function perform(job: jobs.Job, id: string, ageMs: number): Promise<void> {
    switch (job.kind) {
      case 'mail': {
        // A code that is past its life would only puzzle.
        if (job.mail.template === 'code' && ageMs > job.mail.lifeMs) return
        if (options.mailer === undefined) throw new MailFailed('unable to send a mail: SMTP_URL is not set', true)
        return options.mailer.send({ id, to: job.to, ...renderMail(await whole(job.mail), options.publicName) })
      }
      case 'delete-files':
        return options.storage.remove(job.keys)
      case 'mention-all':
        return messages.tellEverybody(chat, job)
      case 'thread-reply':
        return messages.tellFollowers(chat, job)
      case 'tell-poll':
        return messages.tellPoll(chat, job)
      case 'close-poll':
        return messages.closePollInTime(chat, job)
      case 'hand-on':
        return conversations.handOnAll(chat, job.user)
      case 'nothing':
        return
    }
  }

  /** What happened since a mail was put off is told with it. */
  async function whole(mail: jobs.Mail): Promise<WholeMail> {
    const put = mail.template === 'security-notice' ? mail.gathered : undefined
    return put === undefined ? mail : { ...mail, ...(await security.gathered(chat, put)) }
  }

  async function run({ id, job, attempt, ageMs }: jobs.ClaimedJob): Promise<void> {
    try {
      try {
        await perform(job, id, ageMs)
      } catch (error) {
        return await noteFailure({ id, attempt }, job.kind, error)
      }
      await jobs.done(chat, { id, attempt })
      metrics.job(job.kind, 'done')
    } catch (error) {
      // The lease ends by itself, and the job comes again.
      logger.warn({ err: error, job: id, kind: job.kind }, 'unable to record the outcome of a job')
    }
  }

  async function noteFailure(held: { id: string; attempt: number }, kind: jobs.JobKind, error: unknown): Promise<void> {
    const forGood = (error instanceof MailFailed && error.forGood) || held.attempt >= settings.jobAttemptsMax
    const { first, max } = settings.jobRetryMs
    const retryMs = Math.min(first * 2 ** (held.attempt - 1), max) * (0.5 + options.random() / 2)
    await jobs.fail(chat, held, reasonOf(error), forGood ? undefined : retryMs)
    metrics.job(kind, forGood ? 'dead' : 'failed')
    const fields = { reason: reasonOf(error), job: held.id, kind, attempt: held.attempt }
    if (forGood) logger.error(fields, 'job dead-lettered')
    else logger.warn(fields, 'job failed; retrying')
  }

  const loop: Loop = startLoop({
    name: 'jobs',
    logger,
    random: options.random,
    busyMs: settings.pollMs.busy,
    idleMs: settings.pollMs.idle,
    async turn() {
      await slots.whenFree(settings.pollMs.idle)
      const max = slots.free
      if (max === 0) return 'none'
      const claimed = await jobs.claim(chat, { max, leaseMs: settings.jobLeaseMs })
      for (const one of claimed) slots.run(() => run(one))
      return turnOf(claimed.length, max)
    },
  })

  return {
    async stop(withinMs) {
      await loop.stop()
      if (!(await slots.drained(withinMs))) logger.warn({ jobs: slots.taken }, 'jobs still in flight')
    },
  }
}

/** What is kept and logged: of errors that are not ours only the code, because their texts can hold anything. */
function reasonOf(error: unknown): string {
  if (error instanceof MailFailed) return error.message
  const { code, name } = error as { code?: string; name?: string }
  return `unable to do the job: ${code ?? name ?? 'unknown error'}`
}
