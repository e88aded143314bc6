export { decide } from './decide.ts'
export { file, type ReportInput } from './file.ts'
export { list, type Report, type ReportedMessage } from './list.ts'
