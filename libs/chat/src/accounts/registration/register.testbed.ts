/** People for tests, made as anybody would be. */
import type { User } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { type Registration, register } from './register.ts'

export const laptop = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }

/** @returns the person alone; nobody asks for their first session */
export async function registerUser(ctx: AccountsContext, input: Omit<Registration, 'client'>): Promise<User> {
  return (await register(ctx, { ...input, client: laptop })).user
}
