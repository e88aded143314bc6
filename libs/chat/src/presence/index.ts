export { demandAcquainted } from './may-watch.ts'
