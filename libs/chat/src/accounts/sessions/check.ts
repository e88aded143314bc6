import type { AccountsContext } from '../context.ts'
import type { Checked } from './admissions.ts'

/** Whose session this is, while it is good or its person is suspended. The answer can be up to a second old. */
export function check(ctx: AccountsContext, session: string): Promise<Checked | undefined> {
  return ctx.admissions.check(session)
}
