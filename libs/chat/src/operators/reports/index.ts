export { decide } from './decide.ts'
export { file, type ReportInput } from './file.ts'
export { list } from './list.ts'
