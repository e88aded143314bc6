/**
 * Any provider that speaks OpenID Connect. Checked of an answer: state, `iss` (RFC 9207), PKCE, and of the ID token
 * signature, issuer, audience, time and nonce; openid-client does that.
 */
import { Refusal } from '@flotilla/protocol'
import { clockSkewMsMax } from '@flotilla/service'
import * as openid from 'openid-client'
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
import { mayBeInsecure, type OpenIdSettings } from './provider-settings.ts'

/** Endpoints move rarely; keys are fetched anew by the library whenever an unknown one is named. */
const discoveryLifeMs = 24 * 3_600_000
/** By how much the clock of a provider may differ from the store's. */
const clockToleranceMs = 30_000

export function createOpenIdProvider(settings: OpenIdSettings, parts: ProviderParts): Provider {
  const { name, title } = settings
  const { callbackUrl, logger } = parts
  const configuration = createDiscovery(settings, parts)

  return {
    name,
    title,
    async ready() {
      await ask(name, logger, configuration)
    },
    authorizationUrl: authorization =>
      ask(name, logger, async () =>
        openid.buildAuthorizationUrl(await configuration(), {
          ...(await spokenParameters(authorization, callbackUrl)),
          scope: settings.scopes,
          nonce: authorization.nonce,
          // Reauthentication is a new sign-in at the provider: an open browser session proves nothing.
          ...(authorization.purpose === 'reauthenticate' ? { max_age: '0' } : {}),
        }),
      ),
    profileOf: (authorization, answer) =>
      ask(name, logger, async () => {
        const server = await configuration()
        const tokens = await openid.authorizationCodeGrant(server, answerUrl(callbackUrl, answer), {
          expectedState: authorization.state,
          expectedNonce: authorization.nonce,
          pkceCodeVerifier: authorization.verifier,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (claims === undefined) throw new Error('there is no ID token')
        if (authorization.purpose === 'reauthenticate' && isStale(claims.auth_time, authorization.beganAt))
          throw new Refusal('authorization_failed')
        const subject = checkSubject(claims.sub)
        const more = await describe(server, claims, tokens.access_token)
        // The address and the word about it from one mouth.
        const email = trustedEmail(settings, claims['email'] === undefined ? more : claims)
        return { issuer: claims.iss, subject, ...toNames({ ...claims, ...more }), email }
      }),
  }
}

type Claims = Readonly<Record<string, unknown>>

/** Some providers put names and addresses into the ID token, some have to be asked for them. */
async function describe(server: openid.Configuration, claims: openid.IDToken, accessToken: string): Promise<Claims> {
  const isTold = claims['email'] !== undefined && (claims['name'] ?? claims['preferred_username']) !== undefined
  if (isTold || server.serverMetadata().userinfo_endpoint === undefined) return {}
  return openid.fetchUserInfo(server, accessToken, claims.sub)
}

const toNames = (about: Claims) => ({
  name: textOf(about['name']) || textOf(about['given_name']),
  username: textOf(about['preferred_username']) || textOf(about['nickname']),
})

/** Anything but a plain `true` is no. */
function trustedEmail(settings: OpenIdSettings, about: Claims): string | undefined {
  const email = about['email']
  const isProved = settings.trustEmail && about['email_verified'] === true
  return isProved && typeof email === 'string' ? email : undefined
}

/** A provider that keeps to `max_age` says when the person signed in. One that says nothing is believed as at a sign-in. */
const isStale = (authTime: unknown, sinceMs: number) =>
  typeof authTime === 'number' && authTime * 1_000 < sinceMs - clockToleranceMs

/** Asks the provider where its endpoints are: when first needed, and again after a failure. */
function createDiscovery(settings: OpenIdSettings, parts: ProviderParts): () => Promise<openid.Configuration> {
  const { issuer, clientId, clientSecret } = settings
  const execute = [openid.enableNonRepudiationChecks]
  if (mayBeInsecure(issuer)) execute.push(openid.allowInsecureRequests)
  let known: { until: number; skewMs: number; server: Promise<openid.Configuration> } | undefined
  return () => {
    const [now, skewMs] = [performance.now(), parts.clockSkewMs()]
    if (known !== undefined && known.until > now && Math.abs(known.skewMs - skewMs) < clockSkewMsMax)
      return known.server
    // The library takes times by the clock of this machine, unless it is told how far that is off.
    const client = { client_secret: clientSecret, [openid.clockSkew]: -skewMs / 1_000 }
    const server = openid.discovery(new URL(issuer), clientId, client, authenticateBy(clientSecret), {
      timeout: parts.msMax / 1_000,
      [openid.customFetch]: fetchBounded,
      execute,
    })
    const mine = { until: now + discoveryLifeMs, skewMs, server }
    known = mine
    server.catch(() => {
      if (known === mine) known = undefined
    })
    return server
  }
}

/** In the body where the provider says that it takes it so, otherwise in the header, which all must take. */
function authenticateBy(clientSecret: string): openid.ClientAuth {
  const inBody = openid.ClientSecretPost(clientSecret)
  const inHeader = openid.ClientSecretBasic(clientSecret)
  return (server, client, body, headers) => {
    const takesBody = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true
    return (takesBody ? inBody : inHeader)(server, client, body, headers)
  }
}
