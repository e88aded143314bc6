/** The account of somebody who comes from a provider: what they are called here follows from what they are called there. */
import { randomInt } from 'node:crypto'
import { cutText, isVisible, limits, mended } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { create } from '../registration/create.ts'
import { isDisplayName } from '../../users/display-name.ts'
import { isReserved } from '../../users/reserved-names.ts'
import { comparableEmail, type Profile } from './profile.ts'

/** With room for digits behind it. */
const stemLengthMax = 24
const stemLengthMin = 3

/**
 * Makes the person, within a transaction.
 * @param attempt how often a name was taken already
 * @throws Refusal username_taken, email_taken: look again; registration_closed, invitation_invalid
 */
export async function addPerson(
  ctx: AccountsContext,
  client: PoolClient,
  input: {
    readonly profile: Profile
    readonly invitation?: Buffer | undefined
    readonly client: ClientDevice
    readonly attempt: number
  },
): Promise<string> {
  const { profile, attempt, invitation } = input
  const derived = deriveUsername(profile, attempt)
  const username = derived === undefined || isReserved(ctx, derived) ? undefined : derived
  const name = cleanName(profile.name)
  const displayName = isDisplayName(ctx, name) ? name : username
  const email = comparableEmail(profile)
  const { id } = await create(ctx, { username, displayName, email, invitation, client: input.client }, client)
  return id
}

/**
 * A username in the letters that usernames have; digits tell people of one name apart.
 * @returns undefined when the names have no such letters
 */
export function deriveUsername(profile: Pick<Profile, 'username' | 'name'>, attempt: number): string | undefined {
  const stem = [profile.username, profile.name].map(toStem).find(one => one.length >= stemLengthMin)
  if (stem === undefined || attempt === 0) return stem
  return `${stem}${randomInt(10 ** 3, 10 ** 6)}`
}

function toStem(text: string): string {
  return (
    text
      // Of an address the part that names its owner; the rest says where they work.
      .replace(/@.*$/s, '')
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '.')
      .slice(0, stemLengthMax)
      .replace(/^[._-]+|[._-]+$/g, '')
  )
}

/** Providers let their people choose names freely: what cannot be shown in a line goes. */
export function cleanName(text: string): string {
  const line = mended(text).replace(/\s+/gu, ' ').trim()
  const { nameLengthMax } = limits
  return isVisible(line) ? cutText(line, { graphemesMax: nameLengthMax, lengthMax: nameLengthMax }).trim() : ''
}
