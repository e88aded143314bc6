export { find, promise, type Upload, type UploadPurpose, uploadKey } from './uploads.ts'
