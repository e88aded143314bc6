export { eraseDue } from './erase.ts'
export { exportOf, type ExportPart } from './export.ts'
export { redate } from './redate.ts'
