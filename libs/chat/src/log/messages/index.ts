export { appendBy as append } from '../rules.ts'
export { edit } from './edit.ts'
export { type HistoryInput, history } from './history.ts'
export { post } from './post.ts'
