export { block, unblock } from './block.ts'
export { type BlockPage, list } from './list.ts'
