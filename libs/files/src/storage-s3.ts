/** Files in a bucket of S3 or of whatever speaks its protocol. */
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { Refusal } from '@flotilla/protocol'
import { checkKey, type Storage } from './storage.ts'

export interface S3Options {
  readonly bucket: string
  /** Left out for Amazon's own. */
  readonly endpoint?: string | undefined
  readonly region: string
  /** Left out where the machine has a role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** `host/bucket/key` instead of `bucket.host/key`. */
  readonly pathStyle: boolean
}

const connectMsMax = 3_000
const requestMsMax = 15_000
const attemptsMax = 3
/** Files that are removed at once. One by one: a removal of many in one request wants a checksum that not all stores know. */
const removalsAtOnce = 10
const awayRetryMs = 5_000

/** The library is loaded here: it is large, and most deployments start without it. */
export async function openS3Storage(options: S3Options): Promise<Storage> {
  const s3 = await import('@aws-sdk/client-s3')
  const { createPresignedPost } = await import('@aws-sdk/s3-presigned-post')
  const { bucket, endpoint, region, credentials, pathStyle } = options
  const client: S3Client = new s3.S3Client({
    region,
    forcePathStyle: pathStyle,
    // Checksums that only Amazon asks for are refused by others.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: attemptsMax,
    requestHandler: { connectionTimeout: connectMsMax, requestTimeout: requestMsMax, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  const at = (key: string) => {
    checkKey(key)
    return { Bucket: bucket, Key: key }
  }

  return {
    async put(key, bytes, { contentType }) {
      const place = at(key)
      await client.send(new s3.PutObjectCommand({ ...place, Body: bytes, ContentType: contentType })).catch(sayAway)
    },

    async get(key) {
      const place = at(key)
      const found = await client
        .send(new s3.GetObjectCommand(place))
        .catch((error: unknown) => (isMissing(error) ? undefined : sayAway(error)))
      if (found === undefined) return undefined
      if (!(found.Body instanceof Readable)) throw new Error(`unable to read ${key}: the store sent no body`)
      return {
        body: found.Body,
        bytes: found.ContentLength ?? 0,
        contentType: found.ContentType ?? 'application/octet-stream',
      }
    },

    async remove(keys) {
      const places = keys.map(at)
      for (let from = 0; from < places.length; from += removalsAtOnce)
        await Promise.all(
          places
            .slice(from, from + removalsAtOnce)
            .map(place => client.send(new s3.DeleteObjectCommand(place)).catch(sayAway)),
        )
    },

    async presignUpload(key, { bytesMax, contentType, lifeMs }) {
      const { url, fields } = await createPresignedPost(client, {
        ...at(key),
        Expires: Math.floor(lifeMs / 1_000),
        Fields: { 'Content-Type': contentType },
        Conditions: [
          ['content-length-range', 1, bytesMax],
          ['eq', '$Content-Type', contentType],
        ],
      })
      return { url, method: 'POST', fields }
    },

    close: () => client.destroy(),
  }
}

const statusOf = (error: unknown) =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? undefined

/** A bucket that is missing is a wrong setting, not a missing file. */
const isMissing = (error: unknown) => statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket'

/** No answer, or one that says to come back. A refusal for wrong keys is a fault of ours, and stays what it is. */
function sayAway(error: unknown): never {
  const status = statusOf(error)
  if (status !== undefined && status < 500 && status !== 429) throw error
  const refusal = new Refusal('unavailable', 'file storage does not respond', { retryMs: awayRetryMs })
  refusal.cause = error
  throw refusal
}
