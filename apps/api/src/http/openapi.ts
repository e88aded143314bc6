/** The OpenAPI 3.1 document, made from the schemas that check the requests, and the page that shows it. */
import { createHash } from 'node:crypto'
import fastifySwagger from '@fastify/swagger'
import { errors, protocolVersion, Refusal } from '@flotilla/protocol'
import {
  exampleOf,
  joinWords,
  type Json,
  openAnswers,
  rewrite,
  type Schema,
  saidOnly,
  tags,
} from '@flotilla/protocol/schemas'
import type { Api } from '../app.ts'
import { restValues, written } from './examples.ts'

const description = [
  'Users, sign-in, conversations, history and receipts of Flotilla. Live events come over the socket: `GET /v1/connect` has its',
  'URL, and docs/protocol.md its protocol.',
  '',
  '## Errors',
  'Every error is `{error: {code, message, retryMs?, field?, rule?}}`. The codes are stable:',
  '',
  ...Object.entries(errors).map(
    ([code, row]) => `- \`${code}\` (${row.http}${row.retry ? ', retry' : ''}): ${row.meaning}`,
  ),
].join('\n')

/** Where a schema has a name, puts it under components once and a reference in its place. */
function hoistNamed(document: Json): Json {
  const named: Record<string, Json> = {}
  const walked = rewrite(document, object => {
    const { title, ...schema } = object
    // The document itself also has a title, and it is no schema.
    if (typeof title !== 'string' || !('type' in schema || 'anyOf' in schema)) return object
    if (named[title] !== undefined && JSON.stringify(named[title]) !== JSON.stringify(schema))
      throw new Error(`unable to make the document: two shapes are called ${title}`)
    named[title] = schema
    return { $ref: `#/components/schemas/${title}` }
  }) as { components?: Record<string, Json>; [key: string]: Json | undefined }
  return { ...walked, components: { ...walked.components, schemas: named } }
}

interface Operation {
  operationId: string
  security?: object[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
}

interface Media {
  schema: Schema
  example?: unknown
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const operationsOf = (document: Document) => Object.values(document.paths).flatMap(path => Object.values(path))

/** What is true of every operation and therefore said by none of the routes. */
function completeOperations(document: Document): void {
  for (const operation of operationsOf(document)) {
    // A route that names no security asks for none.
    operation.security ??= []
    operation.responses = openAnswers(operation.responses as unknown as Json) as unknown as Operation['responses']
    const json = operation.requestBody?.content['application/json']?.schema
    // validate.ts takes a body that is missing for an empty one, where nothing in it is needed.
    if (operation.requestBody !== undefined && json !== undefined && json.anyOf === undefined)
      operation.requestBody.required = (json.required ?? []).length > 0 || 'oneOf' in json || 'minProperties' in json
  }
}

function addExamples(document: Document): void {
  const resolve = (ref: string) => document.components.schemas[ref.replace('#/components/schemas/', '')] ?? {}
  const add = (content: Record<string, Media> | undefined, given: unknown) => {
    const json = content?.['application/json']
    if (json !== undefined) json.example = given ?? exampleOf(json.schema, restValues, resolve)
  }
  for (const { operationId, requestBody, responses } of operationsOf(document)) {
    const { body, answer } = written[operationId] ?? {}
    add(requestBody?.content, body)
    for (const [status, { content }] of Object.entries(responses)) if (Number(status) < 400) add(content, answer)
  }
}

/** What only the document says stands in it as if the schemas said it. */
const sayAll = (document: Json): Json =>
  rewrite(document, ({ [saidOnly]: said, ...schema }) => ({ ...schema, ...(said as object | undefined) }))

/** The document as it is shown, from the one that Fastify has made of the routes. */
function completeDocument(made: object): object {
  const document = sayAll(joinWords(JSON.parse(JSON.stringify(made)) as Json)) as unknown as Document
  completeOperations(document)
  const hoisted = hoistNamed(document as unknown as Json) as unknown as Document
  addExamples(hoisted)
  return hoisted
}

export function installOpenApi(app: Api): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Flotilla API',
        version: `${protocolVersion}.0.0`,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The deployment that serves this document.' }],
      tags: Object.entries(tags).map(([name, about]) => ({ name, description: about })),
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'Expires after ten minutes.',
          },
        },
      },
    },
    transformObject: documents => {
      if (!('openapiObject' in documents)) throw new Error('unable to make the document: not OpenAPI 3')
      return completeDocument(documents.openapiObject)
    },
  })
}

/**
 * The page at /docs. Its script comes from here and talks to nobody else. The page has one inline script, which the
 * content security policy names by its hash.
 */
export function installDocs(app: Api): void {
  app.register(async docs => {
    // Loaded here, and not needed for anything else: where it was left out, the API does the rest.
    const page = await import('@scalar/fastify-api-reference').catch(() => undefined)
    if (page === undefined) {
      docs.get('/docs', { schema: { hide: true } }, sayWhatIsLacking)
      return
    }
    docs.addHook('onRequest', async request => {
      // The page makes a URL of it.
      if (!URL.canParse(`http://${request.hostname}`)) throw new Refusal('frame_malformed', 'invalid Host header')
    })
    let policy: string | undefined
    docs.addHook('onSend', async (_request, reply, payload) => {
      const isPage = String(reply.getHeader('content-type')).startsWith('text/html')
      if (!isPage || typeof payload !== 'string') return payload
      policy ??= policyOf(payload)
      reply.header('content-security-policy', policy)
      return payload
    })
    await docs.register(page.default, {
      routePrefix: '/docs',
      configuration: {
        url: '/v1/openapi.json',
        pageTitle: 'Flotilla API',
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    })
  })
}

const sayWhatIsLacking = async () => {
  const why =
    'the docs page is not available: @scalar/fastify-api-reference is not installed. The document is at /v1/openapi.json'
  throw new Refusal('route_unknown', why)
}

function policyOf(page: string): string {
  const inline = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)]
  const hashes = inline.map(([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
