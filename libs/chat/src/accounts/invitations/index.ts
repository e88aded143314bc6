export { list } from './list.ts'
export { make } from './make.ts'
export { revoke } from './revoke.ts'
