import type { AccountsContext } from '../context.ts'
import type { Admission } from './admissions.ts'

/**
 * Asked when a socket opens: whether the session is good and belongs to the person, and of which conversations that
 * go by interest they are a member. Never from a cache.
 * @returns undefined when the session is not good, and the person not suspended
 */
export function admit(ctx: AccountsContext, input: { user: string; session: string }): Promise<Admission | undefined> {
  return ctx.admissions.admit(input.user, input.session)
}
