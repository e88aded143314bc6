export {
  type Avatar,
  type AvatarSize,
  createImages,
  type Images,
  type ImagesOptions,
} from './images.ts'
export { openStorage } from './open-storage.ts'
export { type PresignedUpload, readAll, type Storage, type StoredFile } from './storage.ts'
export { openLocalStorage } from './storage-local.ts'
export { openS3Storage, type S3Options } from './storage-s3.ts'
