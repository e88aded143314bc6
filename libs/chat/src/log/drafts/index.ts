export { type DraftPage, list } from './list.ts'
export { put } from './put.ts'
