export { delivered, type ReceiptInput, read } from './note.ts'
