export { type Profile, profile } from './profile.ts'
export { search } from './search.ts'
