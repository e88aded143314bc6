import { expect, test } from 'vitest'
import { createReturnCheck } from './return-urls.ts'

const check = createReturnCheck({
  publicUrl: 'https://chat.example.org/api',
  returnUrls: [
    'https://app.example.org',
    'https://shared.example.org/flotilla',
    'org.example.app:/done',
    'flotilla://home',
  ],
})

test.each([
  ['https://app.example.org'],
  ['https://app.example.org/'],
  ['https://app.example.org/deep/page?tab=1'],
  ['https://shared.example.org/flotilla'],
  ['https://shared.example.org/flotilla/page'],
  ['https://chat.example.org/'],
  ['org.example.app:/done'],
  ['flotilla://home'],
  ['flotilla://home/page'],
])('%s is a place to go home to', place => {
  expect(check(place)).toBe(new URL(place).href)
})

test.each([
  ['http://app.example.org/'],
  ['https://app.example.org:8443/'],
  ['https://app.example.org.evil.test/'],
  ['https://app.example.org@evil.test/'],
  ['https://evil.test@app.example.org/'],
  ['https://evil.test\\@app.example.org/'],
  ['https://evil.test/https://app.example.org/'],
  ['//app.example.org/'],
  ['/deep'],
  ['https://shared.example.org/'],
  ['https://shared.example.org/flotilla-evil'],
  ['https://shared.example.org/flotilla/../other'],
  ['https://shared.example.org/flotilla/%2e%2e/other'],
  ['https://app.example.org/#'],
  ['https://app.example.org/#grant=x'],
  ['org.example.app:/other'],
  ['org.example.evil:/done'],
  ['flotilla://home.evil/'],
  ['javascript:alert(1)'],
  ['data:text/html,x'],
  [''],
])('%s is not', place => {
  expect(() => check(place)).toThrow(expect.objectContaining({ code: 'field_invalid' }))
})

test('without settings there is none', () => {
  const none = createReturnCheck({ publicUrl: undefined, returnUrls: [] })
  expect(() => none('https://app.example.org/')).toThrow(/RETURN_URLS/)
})
