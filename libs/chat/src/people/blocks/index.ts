export { block, unblock } from './block.ts'
export { type Block, type BlockPage, list } from './list.ts'
