export { list } from './list.ts'
export { type DeviceInput, register } from './register.ts'
export { remove } from './remove.ts'
