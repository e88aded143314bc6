export { eraseDue } from './erase.ts'
export { exportOf, type ExportPart } from './export.ts'
export { upkeep, type Upkept, upkeptTables } from './upkeep.ts'
