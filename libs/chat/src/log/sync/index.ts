export { behind, interestsOf, type LocalMembers, localMembers, movedSince } from './heads.ts'
export { type ResumeInput, resume } from './resume.ts'
