import { openTestChat, testDatabase } from '@flotilla/testing'
import { expect, test } from 'vitest'
import { isEmail } from './email.ts'

test('no letter is taken that the store would fold into one of somebody else’s address', async () => {
  const database = await testDatabase()
  const { ctx, close } = await openTestChat(database.url)
  const { rows } = await ctx.pool.query<{ letter: string }>(
    'SELECT chr(i) AS letter FROM generate_series(128, 55295) AS i WHERE lower(chr(i)) < chr(128) COLLATE "C"',
  )
  await close()
  await database.drop()
  const letters = rows.map(row => row.letter)
  expect(letters).toEqual(['İ', '\u212a'])
  for (const letter of letters) {
    expect(isEmail(`ada@gma${letter}l.com`)).toBe(false)
    expect(isEmail(`ad${letter}@example.org`)).toBe(false)
  }
})

test.each([
  'Ada@Example.org',
  'josé@example.org',
  'JOSÉ@BÜCHER.example',
  'ΔΣ@παράδειγμα.example',
  'straße@example.org',
])('%s is an address', address => expect(isEmail(address)).toBe(true))
