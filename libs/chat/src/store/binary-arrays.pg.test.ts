import { sharedPostgres } from '@flotilla/testing'
import fc from 'fast-check'
import pg from 'pg'
import { expect, test } from 'vitest'
import { byteaArray, int4Array, int8Array, uuidArray } from './binary-arrays.ts'

test('PostgreSQL reads every array as it was written', async () => {
  const client = new pg.Client(await sharedPostgres())
  await client.connect()
  const read = async (type: string, value: Buffer) =>
    (await client.query(`SELECT to_json($1::${type}[]) AS read`, [value])).rows[0].read as unknown
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uuid()),
      fc.array(fc.integer()),
      fc.array(fc.maxSafeInteger()),
      fc.array(fc.uint8Array()),
      async (uuids, ints, longs, bytes) => {
        expect(await read('uuid', uuidArray(uuids))).toEqual(uuids)
        expect(await read('int4', int4Array(ints))).toEqual(ints)
        expect(await read('int8', int8Array(longs))).toEqual(longs)
        const hex = bytes.map(one => `\\x${Buffer.from(one).toString('hex')}`)
        expect(await read('bytea', byteaArray(bytes.map(one => Buffer.from(one))))).toEqual(hex)
      },
    ),
    { numRuns: 50 },
  )
  await client.end()
})
