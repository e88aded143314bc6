export { behind, localMembers, movedSince } from './heads.ts'
export { type ResumeInput, resume } from './resume.ts'
