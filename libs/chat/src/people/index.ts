export { profile } from './profile.ts'
export { search } from './search.ts'
