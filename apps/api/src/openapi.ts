/** The OpenAPI 3.1 document, made from the schemas that check the requests, and the page that shows it. */
import { createHash } from 'node:crypto'
import fastifySwagger from '@fastify/swagger'
import { errors, protocolVersion, Refusal } from '@flotilla/protocol'
import scalar from '@scalar/fastify-api-reference'
import type { Api } from './app.ts'

const description = [
  'People, sign-in, conversations, history and receipts of Flotilla. Messages also travel over the socket, whose protocol',
  'docs/protocol.md describes; `GET /v1/connect` says where to open one.',
  '',
  '## Errors',
  'Every error is `{error: {code, message, retryMs?, field?, rule?}}`. The codes are stable:',
  '',
  ...Object.entries(errors).map(
    ([code, row]) => `- \`${code}\` (${row.http}${row.retry ? ', may be tried again' : ''}): ${row.meaning}`,
  ),
].join('\n')

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Where a schema has a name, puts it under components once and a reference in its place. */
function hoistNamed(document: Json): Json {
  const named: Record<string, Json> = {}
  const walk = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const walked = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, walk(child)]))
    const { title, ...schema } = walked
    // The document itself also has a title, and it is no schema.
    if (typeof title !== 'string' || !('type' in schema || 'anyOf' in schema)) return walked
    if (named[title] !== undefined && JSON.stringify(named[title]) !== JSON.stringify(schema))
      throw new Error(`unable to make the document: two shapes are called ${title}`)
    named[title] = schema
    return { $ref: `#/components/schemas/${title}` }
  }
  const walked = walk(document) as { components?: Record<string, Json>; [key: string]: Json | undefined }
  return { ...walked, components: { ...walked.components, schemas: named } }
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
      tags: [
        { name: 'people', description: 'Registering and finding people.' },
        { name: 'sign-in', description: 'Sessions and their tokens.' },
        { name: 'account', description: 'Ways in, what happened to the account, its data and its end.' },
        { name: 'connect', description: 'The way to the socket.' },
        { name: 'conversations', description: 'Direct conversations and groups.' },
        { name: 'members', description: 'Who is in a group.' },
        { name: 'messages', description: 'The log of a conversation, and how far it was received and read.' },
        { name: 'service', description: 'For machines that look after this one.' },
      ],
      components: {
        securitySchemes: {
          accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Lives for ten minutes.' },
        },
      },
    },
    transformObject: documents => {
      if (!('openapiObject' in documents)) throw new Error('unable to make the document: not OpenAPI 3')
      return hoistNamed(JSON.parse(JSON.stringify(documents.openapiObject)) as Json) as typeof documents.openapiObject
    },
  })
}

/**
 * The page at /docs. Its script comes from here and talks to nobody else. The page has one inline script, which the
 * content security policy names by its hash.
 */
export function installDocs(app: Api): void {
  app.register(async docs => {
    docs.addHook('onRequest', async request => {
      // The page makes a URL of it.
      if (!URL.canParse(`http://${request.hostname}`)) throw new Refusal('frame_malformed', 'the host cannot be read')
    })
    let policy: string | undefined
    docs.addHook('onSend', async (_request, reply, payload) => {
      const isPage = String(reply.getHeader('content-type')).startsWith('text/html')
      if (!isPage || typeof payload !== 'string') return payload
      policy ??= policyOf(payload)
      reply.header('content-security-policy', policy)
      return payload
    })
    await docs.register(scalar, {
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
