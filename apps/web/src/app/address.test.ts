import { expect, test } from 'vitest'
import { hrefOf, nextOf, patterns, placeOf } from './address.ts'

test('an address is found by its pattern, with what its parts say', () => {
  expect(placeOf('/')).toMatchObject({ pattern: '/', params: {} })
  expect(placeOf('/c/a%2Fb')).toMatchObject({ pattern: '/c/$conversation', params: { conversation: 'a/b' } })
  expect(placeOf('/c/%E0%A4%A')).toMatchObject({ params: { conversation: '%E0%A4%A' } })
  for (const path of ['/c', '/c/', '/c/a/b', '/nothing', '//', '/settings/'])
    expect(placeOf(path).pattern).toBeUndefined()
})

test('a link and what it leads to say the same', () => {
  const href = hrefOf({ to: '/c/$conversation', params: { conversation: 'a/b?#ü' } })
  expect(placeOf(href).params).toEqual({ conversation: 'a/b?#ü' })
  expect(hrefOf({ to: '/signin', search: { next: '/c/1?a=b', view: undefined } })).toBe('/signin?next=%2Fc%2F1%3Fa%3Db')
  for (const pattern of patterns) expect(placeOf(pattern.replaceAll('$', '')).pattern).toBe(pattern)
})

test('after signing in people go on where they were, and never to another site', () => {
  expect(nextOf('?next=%2Fc%2F1%3Fa%3Db%23c')).toBe('/c/1?a=b#c')
  for (const next of ['', 'https://evil.example', '//evil.example', String.raw`/\evil.example`, 'javascript:alert(1)'])
    expect(nextOf(`?${new URLSearchParams({ next })}`), next).toBe('/')
})
