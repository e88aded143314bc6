export { type HistoryInput, history } from './history.ts'
export { post } from './post.ts'
