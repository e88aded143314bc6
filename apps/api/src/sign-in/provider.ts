/**
 * A sign-in provider, and what all of them share: every question to one has an end in time and in size, and whatever goes
 * wrong there is a refusal, never a fault of this process.
 */
import type { identities } from '@flotilla/chat'
import { cutText, mended, Refusal } from '@flotilla/protocol'
import { type Logger, messageOf } from '@flotilla/service'
import * as oauth from 'openid-client'

export interface Provider {
  readonly name: string
  readonly title: string
  /** Whether it can be used now. @throws Refusal provider_failed */
  ready(): Promise<void>
  /** Where the browser goes. @throws Refusal provider_failed */
  authorizationUrl(authorization: identities.Authorization): Promise<URL>
  /**
   * What the provider says about whom its answer is about.
   * @param answer the query of the call-back
   * @throws Refusal authorization_failed, provider_failed
   */
  profileOf(authorization: identities.Authorization, answer: URLSearchParams): Promise<identities.Profile>
}

/** What providers are given. */
export interface ProviderParts {
  readonly callbackUrl: string
  /** For each question. An authorization takes three. */
  readonly msMax: number
  readonly logger: Logger
  /** How far the clock of this machine is ahead of the store's. */
  readonly clockSkewMs: () => number
}

const answerBytesMax = 512 * 1_024

/** Reads the whole answer within the limit, whatever length its header says. */
export const fetchBounded: oauth.CustomFetch = async (url, options) => {
  const response = await fetch(url, options as RequestInit)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error(`unable to read the answer: more than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  const { status, headers } = response
  return new Response(chunks.length === 0 ? null : Buffer.concat(chunks), { status, headers })
}

/** The parameters with which every authorization begins. */
export async function spokenParameters(
  authorization: identities.Authorization,
  callbackUrl: string,
): Promise<Record<string, string>> {
  return {
    redirect_uri: callbackUrl,
    state: authorization.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(authorization.verifier),
    code_challenge_method: 'S256',
  }
}

/** The call-back's URL as the provider was told it, with the provider's answer. */
export function answerUrl(callbackUrl: string, answer: URLSearchParams): URL {
  const url = new URL(callbackUrl)
  url.search = answer.toString()
  return url
}

/** What the person did, rather than what went wrong. */
const passing = new Set(['server_error', 'temporarily_unavailable'])
/** The code was used, is too old, or is another client's. The second is GitHub's word for it. */
const codeRefusals = new Set(['invalid_grant', 'bad_verification_code'])

/** Does the asking. Of what goes wrong, only a name and a sentence are logged: answers hold tokens. */
export async function ask<T>(provider: string, logger: Logger, question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (error instanceof oauth.AuthorizationResponseError && !passing.has(error.error))
      throw new Refusal('authorization_failed')
    if (error instanceof oauth.ResponseBodyError && codeRefusals.has(error.error))
      throw new Refusal('authorization_failed')
    logger.warn({ provider, reason: reasonOf(error) }, 'sign-in provider failed')
    throw new Refusal('provider_failed')
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const cause = error.cause instanceof Error ? `: ${messageOf(error.cause)}` : ''
  return cutText(`${messageOf(error)}${cause}`, { graphemesMax: 300 })
}

const subjectPattern = /^[\x21-\x7e]{1,255}$/

/** @throws Error when the subject is none that can be told apart from others */
export function checkSubject(subject: unknown): string {
  if (typeof subject !== 'string' || !subjectPattern.test(subject))
    throw new Error('the subject is no text of 1 to 255')
  return subject
}

const nameLengthMax = 200

/** A field of somebody else's answer. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? cutText(mended(value), { graphemesMax: nameLengthMax }) : ''
