export { ask } from './ask.ts'
export { check, type Redeemed, type RightCode, redeem, type SubmittedCode, spend } from './redeem.ts'
export { demandResendable, resend } from './resend.ts'
