/** Where files are kept, as every process that has to do with files is told. */
import { urlOf } from './addresses.ts'
import { flag, optionalText, optionalUrl, secret, text, type Values } from './config.ts'

export const storageSettings = {
  STORAGE_FOLDER: optionalText(
    'Where avatars and uploads are kept, without S3: a folder shared by all APIs and workers.',
  ),
  S3_BUCKET: optionalText('The bucket for avatars and uploads, instead of STORAGE_FOLDER.'),
  S3_ENDPOINT: optionalUrl(
    'The URL of an S3-compatible server. Unset: Amazon’s own.',
    urlOf({ schemes: ['http', 'https'], path: 'any' }),
  ),
  S3_REGION: text('us-east-1', 'The region of the bucket.'),
  S3_ACCESS_KEY_ID: optionalText('The access key. Unset: the role of the machine is used.'),
  S3_SECRET_ACCESS_KEY: secret('The secret of S3_ACCESS_KEY_ID.'),
  S3_PATH_STYLE: flag(false, 'Whether to put the bucket in the path, as most servers other than Amazon’s require.'),
}

type StorageValues = Values<typeof storageSettings>

/** A folder or a bucket, never both. */
export type StoragePlace =
  | { readonly folder: string }
  | {
      readonly bucket: string
      readonly endpoint: string | undefined
      readonly region: string
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
      readonly pathStyle: boolean
    }

/** @throws Error that says what is missing */
export function toStoragePlace(values: StorageValues): StoragePlace {
  const { STORAGE_FOLDER: folder, S3_BUCKET: bucket } = values
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values
  if (folder !== undefined && bucket === undefined) return { folder }
  if (bucket === undefined || folder !== undefined)
    throw new Error('unable to start: set either STORAGE_FOLDER or S3_BUCKET')
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new Error('unable to start: S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together')
  return {
    bucket,
    endpoint: values.S3_ENDPOINT,
    region: values.S3_REGION,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey },
    pathStyle: values.S3_PATH_STYLE,
  }
}
