/** Whom the deployment takes. Every way that makes a person goes through here (create.ts). */
import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { checkInvitation } from '../invitations/spend.ts'

interface Applicant {
  /** Verified to be theirs. */
  readonly email?: string | undefined
  /** They show an invitation; whether it is good is looked at apart. */
  readonly invited: boolean
}

/** @throws Refusal registration_closed, which says in `rule` what is missing */
export function demandMode(ctx: Pick<AccountsContext, 'settings'>, { email, invited }: Applicant): void {
  const { registration, registrationDomains } = ctx.settings
  if (registration === 'open' || (registration !== 'closed' && invited)) return
  const domain = email?.slice(email.lastIndexOf('@') + 1)
  if (registration === 'domain' && domain !== undefined && registrationDomains.includes(domain)) return
  const rules = {
    domain: `an address of ${registrationDomains.join(', ')}, verified by a code, or an invitation`,
    invitation: 'an invitation',
    closed: 'nobody',
  }
  const rule = rules[registration]
  throw new Refusal('registration_closed', undefined, { rule })
}

/** Somebody may register at all. @throws Refusal registration_closed */
export const demandNotClosed = (ctx: Pick<AccountsContext, 'settings'>) => demandMode(ctx, { invited: true })

/**
 * For whoever wants to refuse before costly work; `create` decides.
 * @param applicant.invitation the hash of the code
 * @throws Refusal registration_closed, invitation_invalid
 */
export async function demandMayRegister(
  ctx: AccountsContext,
  { email, invitation }: { readonly email?: string | undefined; readonly invitation: Buffer | undefined },
): Promise<void> {
  demandMode(ctx, { email, invited: invitation !== undefined })
  if (invitation !== undefined) await checkInvitation(ctx, invitation)
}
