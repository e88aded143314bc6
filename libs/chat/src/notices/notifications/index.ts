export { add, addMany, type Note, notificationsKeptMax } from './add.ts'
export { count } from './count.ts'
export { list, type NotificationPage } from './list.ts'
export { read, readAll } from './read.ts'
