export { admit } from './admit.ts'
export type { Admission, Checked } from './admissions.ts'
export type { FirstFactor } from '../factors/read.ts'
export { begin, type SignedIn } from './begin.ts'
export type { ClientDevice } from '../../notices/security/client-device.ts'
export { check } from './check.ts'
export { end, endAll, type Ended } from './end.ts'
export type { SubmittedFactor } from './factor.ts'
export { sendSecondFactorCode, beginPasskeySecondFactor, challenged, finish, type FinishingClient } from './finish.ts'
export { isFamiliar } from './familiar.ts'
export { demandReauthentication } from './demand-reauthentication.ts'
export { list } from './list.ts'
export { type Opened, open } from './open.ts'
export {
  sendReauthenticationCode,
  beginPasskeyReauthentication,
  reauthenticate,
  markReauthenticated,
  type Reauthentication,
} from './reauthenticate.ts'
export { type Refreshed, type RefreshInput, refresh } from './refresh.ts'
export { revoke, revokeAll } from './revoke.ts'
export { signIn, signInKey } from './sign-in.ts'
export { beginByPasskey, signInWithPasskey } from './sign-in-with-passkey.ts'
export { signInWithCode } from './sign-in-with-code.ts'
export { signOut } from './sign-out.ts'
export { type Suspension, suspendedRefusal } from './suspension.ts'
