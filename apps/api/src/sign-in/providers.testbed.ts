/** For the tests: providers on this machine, and a browser that goes to them and comes back. */
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Events, type MutableResponse, type MutableToken, OAuth2Server } from 'oauth2-mock-server'
import type { Answer, Fixture } from '../api.testbed.ts'
import { github, type GitHubSettings, type OpenIdSettings } from './provider-settings.ts'

export const publicUrl = 'http://api.test'
export const returnTo = 'https://app.test/signed-in'
export const returnUrls = ['https://app.test', 'org.example.app:/signed-in']
const clientSecret = 'the secret of the client'

export type Claims = Record<string, unknown>

export interface OpenIdBed {
  readonly settings: OpenIdSettings
  readonly server: OAuth2Server
  /** Who is signed in there: the claims of the next ID tokens. */
  person: Claims
  /** Changes the next answers of the token endpoint. */
  tamper: (body: Claims) => void
  /** Changes what discovery says. */
  metadata: Claims
}

/** A provider that speaks OpenID Connect, with a key of its own. */
export async function startOpenId(name: string, given: Partial<OpenIdSettings> = {}): Promise<OpenIdBed> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, 'localhost')
  const settings: OpenIdSettings = {
    kind: 'openid',
    name,
    title: name.toUpperCase(),
    issuer: server.issuer.url ?? '',
    // Letters only: the server does not decode what stands in the header as it should.
    clientId: `client${name}`,
    clientSecret,
    scopes: 'openid profile email',
    trustEmail: true,
    ...given,
  }
  const bed: OpenIdBed = { settings, server, person: {}, tamper: () => {}, metadata: {} }
  server.service.on(Events.BeforeTokenSigning, (token: MutableToken) => {
    if (token.payload['aud'] !== undefined) Object.assign(token.payload, bed.person)
  })
  server.service.on(Events.BeforeResponse, (answer: MutableResponse) => {
    if (answer.body !== '') bed.tamper(answer.body)
  })
  server.service.on(Events.BeforeUserinfo, (answer: MutableResponse) => {
    answer.body = { sub: bed.person['sub'] }
  })
  server.service.on(Events.BeforeWellKnownOpenIdConfiguration, (answer: MutableResponse) => {
    if (answer.body !== '') Object.assign(answer.body, bed.metadata)
  })
  return bed
}

export interface GitHubBed {
  readonly settings: GitHubSettings
  person: { id: number; login: string; name: string | null }
  emails: { email: string; primary: boolean; verified: boolean; visibility: null }[]
  /** What the token endpoint was asked with. */
  readonly asked: URLSearchParams[]
  stop(): Promise<void>
}

/** What GitHub does with an authorization: the forms of its answers, its errors with status 200, and PKCE. */
export async function startGitHub(): Promise<GitHubBed> {
  const codes = new Map<string, string>()
  const asked: URLSearchParams[] = []
  const token = 'gho_token'
  const send = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))

  const exchange = (form: URLSearchParams) => {
    asked.push(form)
    const challenge = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const made = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isRight = form.get('client_secret') === clientSecret && challenge === made
    if (!isRight)
      return { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }
    return { access_token: token, scope: 'user:email', token_type: 'bearer' }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (url.pathname === '/login/oauth/authorize') {
      const code = randomUUID()
      codes.set(code, url.searchParams.get('code_challenge') ?? '')
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      for (const [key, value] of [
        ['code', code],
        ['iss', 'https://github.com/login/oauth'],
        ['state', url.searchParams.get('state') ?? ''],
      ] as const)
        back.searchParams.set(key, value)
      return response.writeHead(302, { location: back.href }).end()
    }
    if (url.pathname === '/login/oauth/access_token') {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      return send(response, 200, exchange(new URLSearchParams(text)))
    }
    if (request.headers.authorization !== `Bearer ${token}` || request.headers['user-agent'] === undefined)
      return send(response, 401, { message: 'Bad credentials' })
    return send(response, 200, url.pathname === '/user' ? bed.person : bed.emails)
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const bed: GitHubBed = {
    settings: {
      ...github,
      clientId: 'client-of-github',
      clientSecret,
      authorizationUrl: `${origin}/login/oauth/authorize`,
      tokenUrl: `${origin}/login/oauth/access_token`,
      apiUrl: origin,
      trustEmail: true,
    },
    person: { id: 1, login: 'octocat', name: null },
    emails: [],
    asked,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return bed
}

export interface Begun {
  readonly url: string
  readonly secret: string
}

/** A browser as far as authorizations need one: it keeps cookies and follows where it is sent. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #api: Fixture

  constructor(api: Fixture) {
    this.#api = api
  }

  /** One request to the API. */
  async get(url: string): Promise<Answer> {
    const { pathname, search } = new URL(url, publicUrl)
    const answer = await this.#api.call(`GET ${pathname}${search}`, { cookies: Object.fromEntries(this.cookies) })
    for (const { name, value } of answer.cookies) {
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  /** To the provider, which sends back at once: the URL of the call-back with its answer. */
  async visit(begun: Begun): Promise<string> {
    const away = await this.get(begun.url)
    if (away.status !== 302) throw new Error(`unable to begin at the provider: ${JSON.stringify(away.body)}`)
    const back = await fetch(String(away.headers['location']), { redirect: 'manual' })
    return back.headers.get('location') ?? ''
  }

  /** There and back and home. */
  async go(begun: Begun): Promise<Home> {
    return homeOf(await this.get(await this.visit(begun)))
  }
}

export interface Home {
  readonly place: string
  readonly grant: string
  readonly error: string | null
}

/** Where the browser was sent at the end. */
export function homeOf(answer: Answer): Home {
  if (answer.status !== 302) throw new Error(`unable to go home: ${JSON.stringify(answer.body)}`)
  const url = new URL(String(answer.headers['location']))
  const fragment = new URLSearchParams(url.hash.slice(1))
  url.hash = ''
  return { place: url.href, grant: fragment.get('grant') ?? '', error: fragment.get('error') }
}

/** What is the same in all tests of providers. */
export function createProviderUsers(api: Fixture) {
  const begin = async (provider: string): Promise<Begun> => {
    const { status, body } = await api.call(`POST /v1/providers/${provider}/authorizations`, { body: { returnTo } })
    if (status !== 201) throw new Error(`unable to begin: ${JSON.stringify(body)}`)
    return body
  }
  const redeem = (home: Pick<Home, 'grant'>, begun: Begun) =>
    api.call('POST /v1/sessions/with-provider', { body: { grant: home.grant, secret: begun.secret } })
  return {
    begin,
    redeem,
    /** A whole sign-in. */
    async signIn(provider: string): Promise<Answer> {
      const begun = await begin(provider)
      return redeem(await new Browser(api).go(begun), begun)
    },
  }
}
