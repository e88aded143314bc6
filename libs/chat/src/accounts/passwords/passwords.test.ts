import { expect, test } from 'vitest'
import { checkPassword, createPasswords } from './passwords.ts'

const open = (passwordHashesMax = 2, passwordQueueMax = 10) => createPasswords({ passwordHashesMax, passwordQueueMax })

test('a hash is argon2id at the cost named, and fits its password alone', async () => {
  const passwords = open()
  const hash = await passwords.hash('correct horse')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.verify(hash, 'correct horse')).toBe(true)
  expect(await passwords.verify(hash, 'correct Horse')).toBe(false)
})

test('the same password composed differently by another keyboard fits', async () => {
  const passwords = open()
  const hash = await passwords.hash('Käsekuchen')
  expect(await passwords.verify(hash, 'Ka\u0308sekuchen')).toBe(true)
})

test('for nobody the answer is no, after a hash of the same cost', async () => {
  expect(await open().verify(undefined, 'correct horse')).toBe(false)
  // Without a slot to run in, it is refused like any other: so it did go through a hash.
  await expect(open(0, 0).verify(undefined, 'correct horse')).rejects.toMatchObject({ code: 'overloaded' })
})

test('past the queue a password is told to come back, and those in the queue all get their turn', async () => {
  const passwords = open(1, 2)
  const taken = [passwords.hash('a'), passwords.hash('b'), passwords.hash('c')]
  await expect(passwords.hash('d')).rejects.toMatchObject({ code: 'overloaded', detail: { retryMs: 1_000 } })
  expect(await Promise.all(taken)).toHaveLength(3)
  await expect(passwords.hash('e')).resolves.toMatch(/^\$argon2id/)
})

test('a slot is taken before anything is counted, good for several hashes, and given back once', async () => {
  const passwords = open(1, 0)
  const slot = passwords.enter()
  expect(() => passwords.enter()).toThrow(expect.objectContaining({ code: 'overloaded' }))
  await expect(passwords.hash('a')).rejects.toMatchObject({ code: 'overloaded' })
  const hash = await passwords.hash('a', slot)
  expect(await passwords.verify(hash, 'a', slot)).toBe(true)
  slot.leave()
  slot.leave()
  passwords.enter()
  expect(() => passwords.enter()).toThrow(expect.objectContaining({ code: 'overloaded' }))
})

test('a failure gives its slot back', async () => {
  const passwords = open(1, 0)
  await expect(passwords.verify('not a hash', 'a')).rejects.toThrow()
  await expect(passwords.hash('b')).resolves.toMatch(/^\$argon2id/)
})

test.each([
  ['seven77', 'minLength 8'],
  ['💙'.repeat(7), 'minLength 8'],
  ['x'.repeat(201), 'maxLength 200'],
  ['PassWord1', 'not a common password'],
  ['12345678', 'not a common password'],
  ['schalke04', 'not a common password'],
  ['x'.repeat(200), 'no repetition or sequence'],
  ['hahahaha', 'no repetition or sequence'],
  ['zaq1zaq1zaq1', 'no repetition or sequence'],
  ['efghijkl', 'no repetition or sequence'],
  ['9876543210', 'no repetition or sequence'],
])('%s is too weak: %s', async (text, rule) => {
  await expect(checkPassword(text)).rejects.toThrow(
    expect.objectContaining({ code: 'password_weak', detail: { field: 'password', rule } }),
  )
})

test.each(['Bob.Smith', '1bobsmith99!', 'bob@example.org', 'b.smith2024', 'flotilla!'])(
  '%s is too weak for bobsmith, b.smith@… of Flotilla',
  async text => {
    const names = ['bob.smith', 'BobSmith', 'bob@example.org', 'b.smith@example.org', null, undefined, 'Flotilla']
    await expect(checkPassword(text, names)).rejects.toThrow(
      expect.objectContaining({ detail: { field: 'password', rule: expect.any(String) } }),
    )
  },
)

test('a name within a longer password is no fault, and a name of digits alone makes no other digits weak', async () => {
  await expect(checkPassword('bobsmith likes tea', ['bobsmith'])).resolves.toBeUndefined()
  await expect(checkPassword('4815162342!', ['12345'])).resolves.toBeUndefined()
})

test.each(['eight 88', 'xyzw'.repeat(49) + 'done', '💙💚💛💜🖤'.repeat(40), 'password1 and more'])(
  '%s is good enough',
  async text => {
    await expect(checkPassword(text)).resolves.toBeUndefined()
  },
)
