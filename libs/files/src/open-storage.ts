import type { Storage } from './storage.ts'
import { openLocalStorage } from './storage-local.ts'
import { openS3Storage, type S3Options } from './storage-s3.ts'

/** Opens what the settings of a process name. */
export function openStorage(place: { readonly folder: string } | S3Options): Promise<Storage> {
  return 'folder' in place ? openLocalStorage(place.folder) : openS3Storage(place)
}
