export { type HistoryInput, history } from './history.ts'
export { type Posted, type PostInput, post } from './post.ts'
