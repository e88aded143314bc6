/**
 * Tells Kubernetes what it costs to delete this pod: its connections. When a Deployment is made smaller, the emptiest
 * goes first. One PATCH of the own pod, coarse and seldom, since each is a write in the cluster's store; no client
 * library is worth that. Whatever fails here is logged and changes nothing else.
 */
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { Logger } from '@flotilla/service'

export interface DeletionCostOptions {
  readonly pod: string
  readonly namespace: string
  /** The API server. */
  readonly host: string
  readonly port: number
  /** Holds `token` and `ca.crt`. The token is replaced while the pod runs, so it is read for each call. */
  readonly folder: string
  readonly connections: () => number
  readonly logger: Logger
  /** Between two writes at least. */
  readonly everyMs?: number
}

export interface DeletionCost {
  stop(): void
}

const deletionCostLimits = {
  /** Emptied at 60 a second over five gateways, the order of 30 s ago named one with 293 connections before one with 195. */
  everyMs: 10_000,
  /** A change within this share of what was told last is not worth a write. */
  changeMin: 0.05,
  requestMsMax: 5_000,
  /** Of an answer that refuses, for the log. */
  answerCharsMax: 500,
}

const annotation = 'controller.kubernetes.io/pod-deletion-cost'

/** Whether the number is worth telling. */
export function isWorthTelling(connections: number, told: number | undefined): boolean {
  if (told === undefined) return true
  return Math.abs(connections - told) > told * deletionCostLimits.changeMin
}

/** Begins to tell. */
export function keepDeletionCost(options: DeletionCostOptions): DeletionCost {
  const { logger, connections } = options
  let told: number | undefined
  let busy = false
  let stopped = false
  const logged = new Set<string>()

  async function tell() {
    const now = connections()
    if (busy || !isWorthTelling(now, told)) return
    busy = true
    try {
      await patch(options, now)
      told = now
    } catch (error) {
      const cause = causeOf(error)
      // Once for each cause: what is not allowed now will not be soon.
      if (!stopped && !logged.has(cause)) logger.warn({ err: error }, 'unable to set the pod deletion cost')
      logged.add(cause)
    } finally {
      busy = false
    }
  }

  const timer = setInterval(() => void tell(), options.everyMs ?? deletionCostLimits.everyMs)
  timer.unref()
  void tell()
  return {
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : String(error)
}

class Refused extends Error {
  readonly code: string

  constructor(status: number, answer: string) {
    super(`unable to patch the pod: the API server answered ${status}: ${answer}`)
    this.code = `HTTP ${status}`
  }
}

async function patch({ pod, namespace, host, port, folder }: DeletionCostOptions, cost: number): Promise<void> {
  const [token, ca] = await Promise.all([
    readFile(join(folder, 'token'), 'utf8'),
    readFile(join(folder, 'ca.crt'), 'utf8'),
  ])
  const body = JSON.stringify({ metadata: { annotations: { [annotation]: String(cost) } } })
  await new Promise<void>((resolve, reject) => {
    const asked = request(
      {
        method: 'PATCH',
        host,
        port,
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`,
        ca,
        // A connection that is kept open would outlive a rotation of the CA and a move of the API server.
        agent: false,
        signal: AbortSignal.timeout(deletionCostLimits.requestMsMax),
        headers: {
          authorization: `Bearer ${token.trim()}`,
          accept: 'application/json',
          'content-type': 'application/merge-patch+json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'flotilla-gateway',
        },
      },
      response => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          if (answer.length < deletionCostLimits.answerCharsMax) answer += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          const status = response.statusCode ?? 0
          if (status >= 200 && status < 300) resolve()
          else reject(new Refused(status, answer.slice(0, deletionCostLimits.answerCharsMax)))
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
