export { cancel, list, set } from './set.ts'
