/**
 * Serves the routes that libs/protocol declares: a handler gets a request that fits its route and returns the answer, which
 * is sent here. A handler that does not fit does not compile, nor does a feature in which a route has none.
 */
import { type AnswersOf, Bytes, type Content, refusalsOf, type Route } from '@flotilla/protocol/schemas'
import type { FastifyReply, FastifyRequest, FastifySchema, HTTPMethods, RouteShorthandOptions } from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from './refusals.ts'
import { bytesCompiler, validatorCompiler } from './validate.ts'

type Part<R, Name extends string> = R extends { readonly [N in Name]: infer S extends TSchema } ? Static<S> : unknown

/** With what validate.ts fills in. */
type QueryOf<R> = R extends { readonly query: infer Q extends TObject }
  ? Static<Q> & { [K in keyof Q['properties'] as Q['properties'][K] extends { default: number } ? K : never]: number }
  : unknown

export type RequestOf<R> = FastifyRequest<{
  Params: Part<R, 'params'>
  Querystring: QueryOf<R>
  Body: R extends { readonly file: unknown } ? Buffer : Part<R, 'body'>
}>

type IsOne<Status, All = Status> = Status extends unknown ? ([All] extends [Status] ? true : false) : never
type WithStatus<A> = { [S in keyof A]: { readonly status: S; readonly body: A[S] } }[keyof A]

/** The answer, with its status where there are several. What is no JSON the handler sends by itself. */
type ResultOf<R, A = AnswersOf<R>> = A extends { 302: unknown }
  ? FastifyReply
  : A[keyof A] extends Content
    ? FastifyReply
    : IsOne<keyof A> extends true
      ? Nothing<A[keyof A]>
      : WithStatus<A>

type Nothing<V> = V extends undefined ? void : V

/** An answer of a route that has several. */
export const answer = <const Status extends number, Body>(status: Status, body: Body) => ({ status, body })

type Handler<R> = (request: RequestOf<R>, reply: FastifyReply) => Promise<ResultOf<R>>
type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

type Options = Pick<RouteShorthandOptions, 'config' | 'bodyLimit' | 'exposeHeadRoute'> & {
  /** Runs when the caller is known, before the body is read. */
  readonly admit?: Hook
}

type Handlers<F> = {
  readonly [Id in keyof F]: Handler<F[Id]> | (Options & { readonly handle: Handler<F[Id]> })
}

/**
 * Registers a feature.
 * @param deps who knows the signed in; not needed where no route asks for anybody
 */
export function serve<const F extends Readonly<Record<string, Route>>>(
  app: Api,
  deps: Partial<Pick<RouteDeps, 'authenticate' | 'authenticateOperator'>>,
  feature: F,
  handlers: Handlers<F>,
): void {
  const { authenticate, authenticateOperator } = deps
  // What asks for reauthentication looks for it in the verb, in the same transaction as what it does.
  const hooks = {
    nothing: undefined,
    session: authenticate,
    reauthentication: authenticate,
    operator: authenticateOperator,
  }
  for (const [id, route] of Object.entries(feature)) {
    const given = handlers[id] as AnyHandler | (Options & { readonly handle: AnyHandler })
    const { handle, admit, ...options } = typeof given === 'function' ? ({ handle: given } as const) : given
    const signIn = hooks[route.needs]
    if (signIn === undefined && route.needs !== 'nothing')
      throw new Error(`unable to serve ${id}: nobody finds out who asks`)
    const [method, path = ''] = route.at.split(' ')
    app.route({
      method: method as HTTPMethods,
      url: path.slice(app.prefix.length).replaceAll(/\{(\w+)\}/g, ':$1'),
      ...options,
      config: { ...options.config, isProbe: route.isProbe === true },
      preParsing: [signIn, admit].filter(hook => hook !== undefined),
      validatorCompiler: route.file === undefined ? validatorCompiler : bytesCompiler,
      schema: schemaOf(route),
      handler: sending(route, handle),
    })
  }
}

type AnyHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Sends what a handler returns. One that sends by itself returns the reply, which is a promise of its own end. */
function sending({ answers }: Route, handle: AnyHandler): AnyHandler {
  const sendsItself = '302' in answers || Object.values(answers).some(one => 'content' in one)
  if (sendsItself) return handle
  const [only, ...others] = Object.keys(answers).map(Number)
  return async (request, reply) => {
    const result = await handle(request, reply)
    const { status, body } = others.length === 0 ? { status: only, body: result } : (result as AnyAnswer)
    reply.code(status!)
    return body ?? null
  }
}

type AnyAnswer = WithStatus<Record<number, unknown>>

/** What Fastify checks requests by, and @fastify/swagger makes the document of. */
function schemaOf(route: Route): FastifySchema {
  const { id: operationId, tag, needs, summary, description, params, query, headers, file, answers } = route
  const body = file === undefined ? route.body : Bytes
  return {
    operationId,
    summary,
    description,
    tags: [tag],
    ...(needs === 'nothing' ? {} : { security: [{ accessToken: [] }] }),
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(file === undefined ? {} : { consumes: [...file] }),
    response: { ...answers, ...refusals(refusalsOf(route)) },
  }
}
