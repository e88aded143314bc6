import { expect, test } from 'vitest'
import { readSettings } from './config.ts'
import { storageSettings, toStoragePlace } from './storage-settings.ts'

const placeOf = (environment: Record<string, string>) => toStoragePlace(readSettings(storageSettings, environment))

test('files lie in a folder or in a bucket', () => {
  expect(placeOf({ STORAGE_FOLDER: '/files' })).toEqual({ folder: '/files' })
  expect(placeOf({ S3_BUCKET: 'b' })).toEqual({
    bucket: 'b',
    endpoint: undefined,
    region: 'us-east-1',
    credentials: undefined,
    pathStyle: false,
  })
  const given = {
    S3_BUCKET: 'b',
    S3_ENDPOINT: 'https://s3.example',
    S3_REGION: 'eu-1',
    S3_ACCESS_KEY_ID: 'id',
    S3_SECRET_ACCESS_KEY: 'secret',
    S3_PATH_STYLE: 'true',
  }
  expect(placeOf(given)).toEqual({
    bucket: 'b',
    endpoint: 'https://s3.example',
    region: 'eu-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    pathStyle: true,
  })
})

test.each([
  ['nothing', {}, /set either STORAGE_FOLDER or S3_BUCKET/],
  ['both', { STORAGE_FOLDER: '/files', S3_BUCKET: 'b' }, /set either STORAGE_FOLDER or S3_BUCKET/],
  ['half of a pair', { S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'id' }, /must be set together/],
])('with %s a process does not start', (_what, environment, message) => {
  expect(() => placeOf(environment)).toThrow(message)
})
