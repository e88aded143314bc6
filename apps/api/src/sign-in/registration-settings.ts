/** Who may register, what that takes, and which names are had: settings of the API and of standalone. */
import { users } from '@flotilla/chat'
import { choice, integer, list, optionalText, secret, type Values } from '@flotilla/service'
import { demandSecure } from './provider-settings.ts'
import { type RegistrationCheck, registrationChecks, registrationModes } from '@flotilla/protocol'

const minuteMs = 60_000
const dayMs = 86_400_000
const workLifeMs = 10 * minuteMs

/** As addresses are kept: in A-labels, small letters. */
function parseDomains(text: string): readonly string[] {
  const domains = text
    .split(',')
    .map(part => part.trim().replace(/^@/, ''))
    .filter(part => part !== '')
  if (!domains.every(domain => users.isEmail(`somebody@${domain}`))) throw new Error('must be domains')
  return domains.map(domain => users.checkEmail(`somebody@${domain}`).replace(/^.*@/, ''))
}

export interface RegistrationCheckSettings {
  readonly kind: RegistrationCheck
  /** Each bit doubles the work. */
  readonly workBits: number
  readonly workLifeMs: number
  /** Where a captcha's token is verified, as reCAPTCHA, hCaptcha and Turnstile do it. */
  readonly captcha: { readonly url: string; readonly secret: string; readonly siteKey: string } | undefined
  readonly captchaMsMax: number
}

export const registrationSettings = {
  REGISTRATION: choice(
    registrationModes,
    'open',
    'Who may register, by any method: everybody; those who verify an address in REGISTRATION_DOMAINS or are invited; only those who are invited; nobody.',
  ),
  REGISTRATION_DOMAINS: {
    ...list([], 'The domains of `REGISTRATION=domain`; subdomains are not included.'),
    parse: parseDomains,
  },
  REGISTRATION_CHECK: choice(
    registrationChecks,
    'none',
    'What registration requires, to slow down bots: nothing, a proof of work by the client, or a captcha.',
  ),
  REGISTRATION_WORK_BITS: integer(
    16,
    { min: 1, max: 28 },
    'The zero bits of the proof of work: 16 take a browser about a second, and each further bit doubles it.',
  ),
  CAPTCHA_VERIFY_URL: {
    ...optionalText(
      'Where captcha tokens are verified: `https://www.google.com/recaptcha/api/siteverify`, or that of hCaptcha, Turnstile or your own.',
    ),
    parse: demandSecure,
  },
  CAPTCHA_SITE_KEY: optionalText('The public key of the captcha, for clients.'),
  CAPTCHA_SECRET: secret('The secret key of the captcha.'),
  INVITATIONS_FROM: choice(['people', 'operators'], 'operators', 'Who may invite others to register.'),
  INVITATIONS_MAX: integer(10, { min: 0, max: 1_000 }, 'Valid invitations that one person may have.'),
  INVITATION_USES_MAX: integer(10, { min: 1, max: 1_000 }, 'How many people may register with one invitation.'),
  INVITATION_LIFE_MS: integer(
    14 * dayMs,
    { min: minuteMs, max: 365 * dayMs },
    'How long an invitation is valid, unless it says otherwise.',
  ),
  RESERVED_NAMES: list(
    [],
    'Names that nobody may take, lookalikes included, such as `harbour master`. DEPLOYMENT_NAME, `admin`, `support` and the like are reserved anyway.',
  ),
  NAME_HELD_MS: integer(
    90 * dayMs,
    { min: 0, max: 365 * dayMs },
    'How long a username that was given up, or whose owner was erased, stays unavailable to others.',
  ),
}

export type RegistrationValues = Values<typeof registrationSettings>

/** @throws Error when half of something is configured */
export function demandDomains({ REGISTRATION, REGISTRATION_DOMAINS }: RegistrationValues): void {
  if (REGISTRATION === 'domain' && REGISTRATION_DOMAINS.length === 0)
    throw new Error('unable to start: REGISTRATION=domain needs REGISTRATION_DOMAINS')
}

/** @throws Error when half of something is configured */
export function toRegistrationCheck(values: RegistrationValues, captchaMsMax: number): RegistrationCheckSettings {
  const { REGISTRATION_CHECK: kind, CAPTCHA_VERIFY_URL: url, CAPTCHA_SECRET: key, CAPTCHA_SITE_KEY: siteKey } = values
  const captcha =
    url === undefined || key === undefined || siteKey === undefined ? undefined : { url, secret: key, siteKey }
  if (kind === 'captcha' && captcha === undefined)
    throw new Error('unable to start: a captcha needs CAPTCHA_VERIFY_URL, CAPTCHA_SITE_KEY and CAPTCHA_SECRET')
  return { kind, workBits: values.REGISTRATION_WORK_BITS, workLifeMs, captcha, captchaMsMax }
}

/** What the domain works by. */
export const toRegistration = (values: RegistrationValues) => ({
  registration: values.REGISTRATION,
  registrationDomains: values.REGISTRATION_DOMAINS,
  invitationsFrom: values.INVITATIONS_FROM,
  invitationsMax: values.INVITATIONS_MAX,
  invitationUsesMax: values.INVITATION_USES_MAX,
  invitationLifeMs: values.INVITATION_LIFE_MS,
  reservedNames: values.RESERVED_NAMES,
  nameHeldMs: values.NAME_HELD_MS,
})
