/** Requests that no client sends: each has an answer that says what is wrong, and none is a fault. */
import { type Attack, check, inBatches, none } from '../attack.ts'
import { codeOf } from '../totp.ts'
import { type Answer, statuses } from '../rest.ts'
import type { Person, Stand } from '../stand.ts'

const password = 'correct horse battery'
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
/** Digits of other scripts; of the last the fourth is none. */
const digits = ['１２３４５６', '١٢٣٤٥٦', '१२३४५६', '𝟏𝟐𝟑𝟒𝟓𝟔', '123４56', '😀😀😀😀😀😀']

interface OddRequest {
  readonly what: string
  readonly request: string
  readonly body?: unknown
  readonly raw?: string
  /** Of the answer. */
  readonly status: readonly number[]
}

export const oddRequests: Attack = {
  name: 'odd-requests',
  by: 'somebody with an account',
  tries: 'requests that no client sends, to find one that is a fault',
  async run(stand) {
    const person = await stand.register('curious', password)
    const as = () => ({ token: person.token(), from: person.from })
    const friend = (await stand.people(1))[0]!
    await stand.befriend(person, friend)
    const opened = await stand.must('POST /v1/conversations', { ...as(), body: { kind: 'direct', user: friend.user } })
    await stand.must('POST /v1/me/totp', as())
    const asked = []
    for (const { what, status, request, ...body } of oddOnes(opened.body.id as string)) {
      const answer = await stand.call(request, { ...as(), ...body })
      asked.push(check(`${what}: ${status.join(' or ')}`, status.includes(answer.status), shownOf(answer)))
    }
    return [...asked, ...(await typedDigits(stand)), await unknownPaths(stand)]
  },
}

const clientId = '5f0c9a52-8e0a-4d0e-9f57-2f2f1c9d6a11'

const oddOnes = (conversation: string): OddRequest[] => [
  {
    what: 'data that nests 5,000 deep',
    request: `POST /v1/conversations/${conversation}/messages`,
    raw: `{"clientId":"${clientId}","body":{"text":"x","data":${deep(5_000)}}}`,
    status: [400, 413],
  },
  {
    what: 'data with a key __proto__',
    request: `POST /v1/conversations/${conversation}/messages`,
    raw: `{"clientId":"${clientId}","body":{"text":"x","data":{"__proto__":{"admin":true}}}}`,
    status: [400],
  },
  {
    what: 'data with a key constructor.prototype',
    request: `POST /v1/conversations/${conversation}/messages`,
    raw: `{"clientId":"${clientId}","body":{"text":"x"},"constructor":{"prototype":{"admin":true}}}`,
    status: [400],
  },
  { what: 'a profile that is null', request: 'PATCH /v1/me', raw: 'null', status: [400] },
  { what: 'a profile that is an array', request: 'PATCH /v1/me', raw: '[]', status: [400] },
  { what: 'a profile that is half of JSON', request: 'PATCH /v1/me', raw: '{"displayName":', status: [400] },
  { what: 'another method on a route', request: 'PUT /v1/me', raw: '{}', status: [405] },
  { what: 'another method without a body', request: 'DELETE /v1/users', status: [405] },
  { what: 'a method of WebDAV', request: 'PROPFIND /v1/me', status: [405, 404, 400, 501] },
  { what: 'an id that is none', request: 'GET /v1/conversations/..%2f..%2fetc', status: [400, 404] },
  { what: 'a NUL in a query', request: 'GET /v1/people?q=%00%00', status: [400] },
]

const shownOf = ({ status, body }: Answer) => `${status} ${JSON.stringify(body).slice(0, 100)}`

/** Codes in the digits of other scripts, wherever codes are taken. */
async function typedDigits(stand: Stand) {
  const person = await stand.register('scribe', password)
  const as = () => ({ token: person.token(), from: person.from })
  const begun = await stand.must('POST /v1/me/totp', as())
  const faults: string[] = []
  const look = (where: string, code: string, { status }: Answer) => {
    if (status < 400 || status >= 500) faults.push(`${where} ${code}: ${status}`)
  }
  for (const code of digits)
    look('confirm', code, await stand.call('POST /v1/me/totp/confirm', { ...as(), body: { code } }))
  await stand.must('POST /v1/me/totp/confirm', { ...as(), body: { code: codeOf(begun.body.secret as string) } })
  for (const code of digits) {
    const challenge = await beginSignIn(stand, person)
    const finished = { challenge, factor: 'totp', code }
    look(
      'second-factor',
      code,
      await stand.call('POST /v1/sessions/second-factor', { from: person.from, body: finished }),
    )
    const body = { factor: 'totp', code }
    look('reauthentication', code, await stand.call('POST /v1/sessions/current/reauthentication', { ...as(), body }))
  }
  return [none('codes in other digits that are no plain refusal', faults)]
}

async function beginSignIn(stand: Stand, { from }: Person): Promise<string> {
  const { body } = await stand.must('POST /v1/sessions', { from, body: { username: 'scribe', password } })
  return body.secondFactor.challenge as string
}

/** The docs, and what does not exist, are counted like everything else. */
async function unknownPaths(stand: Stand) {
  const from = stand.address()
  const paths = Array.from({ length: 700 }, (_, nth) => (nth % 10 === 0 ? 'GET /docs' : `GET /no/such/route/${nth}`))
  const answers = await inBatches(paths, 50, path => stand.call(path, { from }))
  return check(
    '700 of them within a minute are too many',
    answers.some(({ status }) => status === 429),
    statuses(answers),
  )
}
