/** The OpenAPI document without a running API, for whoever writes it down or makes a client from it. */
import { type ChatContext, chatDefaults } from '@flotilla/chat'
import type { Storage } from '@flotilla/files'
import { createRegistry, generateSecretKey, parseSecretKeys, silentLogger } from '@flotilla/service'
import { buildApp } from '../build-app.ts'
import { apiDefaults } from '../config.ts'
import { generateTokenKey, parseTokenKeys } from '../sign-in/tokens.ts'

/** Needs no database and no Redis: no route is ever called. */
export async function openApiDocument(): Promise<object> {
  const secrets = parseSecretKeys(generateSecretKey('document'))
  const app = buildApp({
    chat: { settings: chatDefaults } as ChatContext,
    node: { nodes: () => [], hit: async () => undefined },
    keys: { token: parseTokenKeys(generateTokenKey()), refresh: secrets, ticket: secrets },
    storage: {} as Storage,
    settings: apiDefaults,
    logger: silentLogger,
    registry: createRegistry({}),
    ready: () => undefined,
    random: () => 0,
  })
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}
