export type { PrivacySetting } from './counterparts.ts'
export { between, blockers } from './between.ts'
export { acquaintedOf, demandAcquainted } from './may-watch.ts'
export { audience, visible } from './visible.ts'
