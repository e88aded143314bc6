/**
 * The API of a cluster over the Unix socket of a `kubectl proxy`: as its administrator, and without starting a process for
 * each question.
 */
import { request } from 'node:http'

/** The part of an object that every test looks at. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly creationTimestamp?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly ready: boolean
      readonly restartCount: number
      readonly state: Readonly<Record<string, unknown>>
    }[]
  }
}

/** The API as its administrator, without a process for each call. */
export interface KubeApi {
  /** `get('/apis/apps/v1/namespaces/chat/deployments/flotilla-gateway')` */
  get<T = KubeObject>(path: string): Promise<T>
  list<T = KubeObject>(path: string): Promise<T[]>
  create<T = KubeObject>(path: string, body: unknown): Promise<T>
  /** A JSON merge patch. */
  patch<T = KubeObject>(path: string, body: unknown): Promise<T>
  /** `graceSeconds: 0` is a deletion with force. */
  delete(path: string, options?: { readonly graceSeconds?: number }): Promise<void>
  /** Pods by labels: `{ 'app.kubernetes.io/component': 'gateway' }`. */
  pods(namespace: string, labels?: Readonly<Record<string, string>>): Promise<Pod[]>
}

export interface SocketRequest {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
}

export interface SocketAnswer {
  readonly status: number
  readonly text: string
}

const answerWithinMs = 30_000

/** One request, one connection. */
export function askSocket(socketPath: string, asked: SocketRequest): Promise<SocketAnswer> {
  const { method = 'GET', path, body, contentType = 'application/json' } = asked
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath,
        method,
        path,
        headers: { 'content-type': contentType, connection: 'close' },
        agent: false,
        signal: AbortSignal.timeout(answerWithinMs),
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** What the API refused. */
class KubeError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'KubeError'
    this.status = status
  }
}

export function createKubeApi(socketPath: string): KubeApi {
  const ask = async <T>(asked: SocketRequest): Promise<T> => {
    const { status, text } = await askSocket(socketPath, asked)
    if (status < 400) return JSON.parse(text) as T
    throw new KubeError(status, `unable to ${asked.method ?? 'GET'} ${asked.path}: ${reason(text)}`)
  }
  const list = async <T>(path: string): Promise<T[]> => (await ask<{ items: T[] }>({ path })).items
  return {
    get: <T = KubeObject>(path: string) => ask<T>({ path }),
    list,
    create: <T = KubeObject>(path: string, body: unknown) => ask<T>({ method: 'POST', path, body }),
    patch: <T = KubeObject>(path: string, body: unknown) =>
      ask<T>({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }),
    async delete(path, { graceSeconds } = {}) {
      const body = graceSeconds === undefined ? undefined : { gracePeriodSeconds: graceSeconds }
      await ask({ method: 'DELETE', path, ...(body === undefined ? {} : { body }) })
    },
    pods(namespace, labels = {}) {
      const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
      return list<Pod>(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector.join(','))}`)
    },
  }
}

/** The API says why as an object; what stands before it may say it in words. */
function reason(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text
  }
}
