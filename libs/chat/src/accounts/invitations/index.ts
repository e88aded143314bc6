export type { Invitation } from './invitation.ts'
export { list } from './list.ts'
export { invitationLifeMsMax, make, operatorUsesMax } from './make.ts'
export { revoke } from './revoke.ts'
