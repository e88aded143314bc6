/** GitHub: OAuth 2 with PKCE, without ID tokens. Who it was is asked at its API with the token, which is then forgotten. */
import type { identities } from '@flotilla/chat'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import * as oauth from 'openid-client'
import {
  answerUrl,
  ask,
  checkSubject,
  fetchBounded,
  type Provider,
  type ProviderParts,
  spokenParameters,
  textOf,
} from './provider.ts'
import { type GitHubSettings, mayBeInsecure } from './provider-settings.ts'

/** One's name is public; this is for the addresses. */
const scope = 'user:email'
const apiVersion = '2022-11-28'

/** The part of GitHub's answers that is read. */
const Person = Compile(Type.Object({ id: Type.Integer({ minimum: 1 }), login: Type.String() }))
const Addresses = Compile(
  Type.Array(Type.Object({ email: Type.String(), primary: Type.Boolean(), verified: Type.Boolean() })),
)

export function createGitHubProvider(settings: GitHubSettings, parts: ProviderParts): Provider {
  const { name, title, issuer } = settings
  const { callbackUrl, logger } = parts
  const server = new oauth.Configuration(
    {
      issuer: settings.responseIssuer,
      authorization_endpoint: settings.authorizationUrl,
      token_endpoint: settings.tokenUrl,
    },
    settings.clientId,
    settings.clientSecret,
    oauth.ClientSecretPost(settings.clientSecret),
  )
  server.timeout = parts.msMax / 1_000
  server[oauth.customFetch] = fetchWithStatus
  if (mayBeInsecure(settings.tokenUrl)) oauth.allowInsecureRequests(server)

  async function get(accessToken: string, path: string): Promise<unknown> {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': apiVersion })
    const url = new URL(`${settings.apiUrl}${path}`)
    const response = await oauth.fetchProtectedResource(server, accessToken, url, 'GET', undefined, headers)
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
    return response.json().catch(() => undefined)
  }

  async function whoIs(accessToken: string): Promise<identities.Profile> {
    const [person, addresses] = await Promise.all([
      get(accessToken, '/user'),
      settings.trustEmail ? get(accessToken, '/user/emails') : [],
    ])
    if (!Person.Check(person)) throw new Error('/user answered what it never does')
    if (!Addresses.Check(addresses)) throw new Error('/user/emails answered what it never does')
    // The login can be changed and then be taken by somebody else; the number stays.
    const subject = checkSubject(String(person.id))
    const username = textOf(person.login)
    const shown = textOf((person as { name?: unknown }).name)
    const email = addresses.find(one => one.primary && one.verified)?.email
    return { issuer, subject, name: shown || username, username, email }
  }

  return {
    name,
    title,
    // Where everything is, is known.
    ready: async () => {},
    authorizationUrl: authorization =>
      ask(name, logger, async () =>
        oauth.buildAuthorizationUrl(server, {
          ...(await spokenParameters(authorization, callbackUrl)),
          scope: settings.trustEmail ? scope : '',
        }),
      ),
    profileOf: (authorization, answer) =>
      ask(name, logger, async () => {
        const tokens = await oauth.authorizationCodeGrant(server, answerUrl(callbackUrl, answer), {
          expectedState: authorization.state,
          pkceCodeVerifier: authorization.verifier,
        })
        return whoIs(tokens.access_token)
      }),
  }
}

/** GitHub says 200 where it refuses a code; the protocol says 400, and the library keeps to it. */
const fetchWithStatus: oauth.CustomFetch = async (url, options) => {
  const response = await fetchBounded(url, options)
  if (options.method !== 'POST' || response.status !== 200) return response
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  const isRefused = typeof body === 'object' && body !== null && 'error' in body
  return isRefused ? new Response(response.body, { status: 400, headers: response.headers }) : response
}
