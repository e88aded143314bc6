import type { ChatContext } from '../context.ts'

/** Whose session this is, while it is good. The answer can be up to a second old. */
export function check(ctx: ChatContext, session: string): Promise<{ user: string } | undefined> {
  return ctx.admissions.check(session)
}
