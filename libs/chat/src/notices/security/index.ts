export { gathered, type GatheredEvents } from './gathered.ts'
export { list, type SecurityPage } from './list.ts'
export { note, type SecurityEvent, type SecurityEventKind } from './note.ts'
