export { find } from './find.ts'
export { get } from './get.ts'
export { type Registration, register } from './register.ts'
export type { User } from './user.ts'
