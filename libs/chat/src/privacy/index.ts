export type { Shown } from './counterparts.ts'
export { audience, visible } from './visible.ts'
