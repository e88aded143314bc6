/** What a reader of the OpenAPI document, and a tool that is fed with it, may count on for each operation. */
import { Compile } from 'typebox/schema'
import { expect, test } from 'vitest'
import { openApiDocument } from './document.ts'

type Schema = Readonly<Record<string, unknown>>
interface Media {
  readonly schema: Schema
  readonly example?: unknown
}
interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >
}

const document = (await openApiDocument()) as {
  readonly servers: readonly { url: string; description: string }[]
  readonly tags: readonly { name: string; description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
)
const isSuccess = (status: string) => Number(status) < 300

/** The schema with what it refers to, as a document of its own. */
const whole = (schema: Schema) => ({
  ...(JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/')) as Schema),
  $defs: JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/'),
  ) as Schema,
})

test('it says where the API is, and what each tag is about', () => {
  expect(document.servers).toEqual([{ url: '/', description: expect.stringMatching(/\w/) }])
  const described = document.tags.filter(tag => tag.description.endsWith('.')).map(tag => tag.name)
  expect(described.sort()).toEqual([...new Set(operations.flatMap(one => one.tags ?? []))].sort())
})

test.each(operations)('$operationId has words, a tag, its security, and described answers', operation => {
  expect(operation.summary).toMatch(/^[A-Z][^.]+$/)
  expect(operation.description).toMatch(/[.!]$/)
  expect(operation.tags).toHaveLength(1)
  expect(operation.security).toBeDefined()
  for (const [status, answer] of Object.entries(operation.responses)) {
    expect(answer.description, status).toMatch(/\w/)
    expect(answer.description, status).not.toBe('Default Response')
  }
  // Whoever needs a token can be told that it is not valid, and nobody else.
  if (operation.security?.length !== 0) expect(operation.responses['401']?.description).toContain('`unauthenticated`')
  else expect(operation.responses['401']?.description ?? '').not.toContain('`unauthenticated`')
})

test.each(operations)('the examples of $operationId are whole and valid', operation => {
  const answers = Object.entries(operation.responses).filter(([status]) => isSuccess(status))
  const contents = [operation.requestBody?.content, ...answers.map(([, answer]) => answer.content)]
  for (const json of contents.flatMap(content => content?.['application/json'] ?? [])) {
    expect(json.example).toBeDefined()
    const check = Compile(whole(json.schema))
    expect(check.Check(json.example) ? [] : check.Errors(json.example)[1], JSON.stringify(json.example)).toEqual([])
    // Nothing was left out for want of a value.
    expect(JSON.stringify(json.example)).toBe(JSON.stringify(json.example, (_, value: unknown) => value ?? null))
  }
})

test('what is asked is closed, and what is answered is open for fields that come later', () => {
  const setName = document.paths['/v1/me']?.['patch']
  expect(setName?.requestBody?.content['application/json']?.schema['additionalProperties']).toBe(false)
  const answers = operations.flatMap(operation =>
    Object.values(operation.responses).flatMap(answer => Object.values(answer.content ?? {})),
  )
  expect(JSON.stringify(answers)).not.toContain('"additionalProperties":false')
})

test('a URL or headers beyond the limit are an answer of every route', () => {
  const withoutIt = operations.filter(
    ({ path, responses }) => path.startsWith('/v1/') && responses['413'] === undefined,
  )
  expect(withoutIt.map(one => one.operationId)).toEqual([])
})

test('null is a type, and several words are one choice', () => {
  const text = JSON.stringify(document)
  expect(text).not.toContain('"nullable"')
  expect(document.components.schemas['Settings']?.['properties']).toMatchObject({
    directFrom: { type: ['string', 'null'], enum: ['anyone', 'contacts', 'known', 'request', null] },
    lastSeenVisibility: { type: 'string', enum: ['everyone', 'contacts', 'nobody'] },
  })
})

test('a body may be missing where it needs no field, and only there', () => {
  const required = (path: string, method: string) => document.paths[path]?.[method]?.requestBody?.required
  expect(required('/v1/me', 'patch')).toBe(false)
  expect(required('/v1/users', 'post')).toBe(false)
  expect(required('/v1/sessions', 'post')).toBe(true)
  expect(required('/v1/conversations', 'post')).toBe(true)
})
