/**
 * How a route of the REST API is declared: one value carries its URL, what it takes, answers and refuses, and the text for
 * the docs. The API serves it, OpenAPI is made from it, and the SDK's calls are typed by it.
 */
import type { Type } from 'typebox'
import type { ErrorCode } from '../errors.ts'

/** What routes are about, in the order of the docs. */
export const tags = {
  people: 'Registration, profiles, avatars and search.',
  'sign-in': 'Sign-in methods, sessions and tokens.',
  account: 'Sign-in details, security events, data export and deletion.',
  contacts: 'Contacts, contact requests, blocks and reports.',
  connect: 'How to open a socket.',
  conversations: 'Direct conversations and groups.',
  members: 'Group members and their roles.',
  groups: 'Group settings, invite links, join requests and bans.',
  messages: 'Conversation history, sending, and receipts.',
  devices: 'Devices that receive push notifications.',
  notifications: 'Mentions, requests, group additions and security notices.',
  operators: 'For operators of the deployment: reports, moderation and delivery failures.',
  service: 'Health checks, keys and this document.',
} as const
type Tag = keyof typeof tags

/**
 * Who may call a route: everyone; users who are signed in; those who have also authenticated lately; operators, who must have
 * done both. A test of apps/api calls every route of the last two with a stale session.
 */
export type Needs = 'nothing' | 'session' | 'reauthentication' | 'operator'

const refusalsOfNeeds = {
  nothing: [],
  session: ['unauthenticated'],
  reauthentication: ['unauthenticated', 'reauthentication_required'],
  operator: ['unauthenticated', 'operators_only', 'operator_mfa_required', 'reauthentication_required'],
} as const satisfies Readonly<Record<Needs, readonly ErrorCode[]>>

/** What every route can refuse. */
export const always = [
  'field_invalid',
  'frame_too_large',
  'rate_limited',
  'overloaded',
  'unavailable',
  'internal',
] as const satisfies readonly ErrorCode[]

/** What a body can be refused for before a route sees it. */
const bodyCodes = ['frame_malformed', 'request_timeout'] as const satisfies readonly ErrorCode[]

/** An answer that is no JSON: the bytes of a file, or text. */
export interface Content {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: Type.TSchema }>>
}

interface Declared {
  /** Method and path; `{id}` in it is one of `params`. */
  readonly at: `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`
  readonly needs?: Needs
  /** Begins with a verb. */
  readonly summary: string
  readonly description: string
  readonly params?: Type.TObject
  readonly query?: Type.TObject
  readonly headers?: Type.TObject
  /** What comes as JSON. */
  readonly body?: Type.TSchema
  /** What comes as it is, instead of JSON: the types that it may have. */
  readonly file?: readonly string[]
  /** Asked by machines that look after this one, which must get an answer in a flood too: nothing is ever refused. */
  readonly isProbe?: true
  /** By status. */
  readonly answers: { readonly [status: number]: Type.TSchema | Content }
  /** Beyond those that its needs and its body imply. */
  readonly refusals?: readonly ErrorCode[]
}

export interface Route extends Declared {
  /** The `operationId` of OpenAPI. */
  readonly id: string
  readonly tag: Tag
  readonly needs: Needs
}

/**
 * Declares the routes of a feature. The name of each is its `operationId`.
 * @param needs of those that do not say otherwise
 */
export function routes<const N extends Needs, const T extends Readonly<Record<string, Declared>>>(
  tag: Tag,
  needs: N,
  declared: T,
) {
  const named = Object.entries(declared).map(([id, route]) => [id, { id, tag, needs, ...route }])
  return Object.fromEntries(named) as { readonly [Id in keyof T]: Named<Id, N, T[Id]> }
}

type Named<Id, N extends Needs, R> = R & {
  readonly id: Id
  readonly tag: Tag
  readonly needs: R extends { needs: infer Own } ? Own : N
}

/** All that a route can refuse: what it names, and what everything like it can. */
export function refusalsOf({ isProbe, body, file, needs, refusals = [] }: Route): readonly ErrorCode[] {
  if (isProbe === true) return []
  const takesBody = body !== undefined || file !== undefined
  // Whoever is signed in may be suspended.
  const suspended: readonly ErrorCode[] = needs === 'nothing' ? [] : ['account_suspended']
  const codes = [...always, ...(takesBody ? bodyCodes : []), ...refusalsOfNeeds[needs], ...refusals, ...suspended]
  return [...new Set(codes)]
}

// ── types: what of a route the two sides are typed by ────────────────────────────────────────────────────────────────

/** An answer by its declaration. What has no content is undefined. */
type ValueOf<A> = A extends Content
  ? A
  : A extends Type.TNull
    ? undefined
    : A extends Type.TSchema
      ? Type.Static<A>
      : never

/** What a route answers, by status. */
export type AnswersOf<R> = R extends { readonly answers: infer A } ? { [S in keyof A]: ValueOf<A[S]> } : never
/** What it answers, whatever the status. */
export type AnswerOf<R> = AnswersOf<R>[keyof AnswersOf<R>]

type Part<R, Name extends string> = R extends { readonly [N in Name]: infer S extends Type.TSchema }
  ? Partial<Type.Static<S>> extends Type.Static<S>
    ? { readonly [N in Name]?: Type.Static<S> }
    : { readonly [N in Name]: Type.Static<S> }
  : unknown
type Params<R> = R extends { readonly params: infer S extends Type.TSchema } ? Type.Static<S> : unknown

/** What a call of a route brings along: the parameters of its path by their names, and `query` and `body`. */
export type InputOf<R> = Params<R> & Part<R, 'query'> & Part<R, 'body'>
