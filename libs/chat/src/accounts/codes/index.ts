export { ask } from './ask.ts'
export type { AskedCode } from './code.ts'
export { check, type Redeemed, type RightCode, redeem, type ShownCode, spend } from './redeem.ts'
export { demandResendable, resend } from './resend.ts'
