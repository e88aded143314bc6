export { approve, decline, withdraw } from './answer.ts'
export { list, own } from './list.ts'
