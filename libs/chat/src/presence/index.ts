export { acquaintedOf, demandAcquainted } from './may-watch.ts'
