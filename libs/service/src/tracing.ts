/**
 * Traces of entries, sent by OTLP over HTTP. The ids of a trace are made of the entry's conversation and seq, so every
 * process that has the entry in its hands, the one that commits it, those that deliver it, the worker that pushes about
 * it, finds the same trace, and the same decision to keep it, without a word on the wire or in the store. Where no traces
 * are wanted there is no tracer: callers pay one comparison, and OpenTelemetry is not loaded.
 */
import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { urlOf } from './addresses.ts'
import { integer, optionalUrl } from './config.ts'
import type { Logger } from './logger.ts'

/** One part of an entry's way. It ends when it is reported. */
export interface TracedPart {
  readonly name: string
  /** By performance.now(). */
  readonly startedAt: number
  /** Of the verb that made the entry: all other parts hang below it. */
  readonly root?: boolean
  /** Counts and names of processes. Never what somebody wrote, nor who. */
  readonly attributes?: Readonly<Record<string, string | number>>
}

/** Reports where an entry's time went. */
export type TraceEntry = (entry: { readonly conversation: string; readonly seq: number }, part: TracedPart) => void

export interface Tracing {
  readonly trace: TraceEntry
  /** Sends what is left. Never rejects. */
  close(): Promise<void>
}

/** The settings of every process that has entries in its hands. */
export const tracingSettings = {
  TRACES_URL: optionalUrl(
    'Where to send traces of entries, by OTLP over HTTP: `http://collector:4318/v1/traces`. Unset: no tracing.',
    urlOf({ schemes: ['http', 'https'], path: 'any', login: true, query: true }),
  ),
  TRACES_ONE_IN: integer(
    100,
    { min: 1, max: 1_000_000 },
    'Trace one entry in so many. Use the same value in all processes, so that they sample the same entries.',
  ),
}

const traceBytes = 16
const spanBytes = 8
/** Spans that wait for a collector that is slow or away; beyond it they are dropped. */
const spansQueuedMax = 8_192
const exportMsMax = 5_000
/** How far the monotonic clock may be from the wall clock before it is set anew. */
const clockDriftMsMax = 2

interface Ids {
  readonly traceId: string
  readonly rootId: string
}

/** The ids of an entry's trace; undefined when it is not one of those that are kept. */
function idsOf(entry: { conversation: string; seq: number }, oneIn: number): Ids | undefined {
  const digest = createHash('sha256').update(`${entry.conversation}:${entry.seq}`).digest()
  if (digest.readUInt32BE(traceBytes + spanBytes) % oneIn !== 0) return undefined
  return {
    traceId: digest.toString('hex', 0, traceBytes),
    rootId: digest.toString('hex', traceBytes, traceBytes + spanBytes),
  }
}

/** Opens the way to the collector. @returns undefined when no traces are wanted */
export async function openTracing(options: {
  readonly url: string | undefined
  readonly oneIn: number
  readonly name: string
  readonly node: string
  readonly region: string
  readonly logger: Logger
}): Promise<Tracing | undefined> {
  const { url, oneIn, logger } = options
  if (url === undefined) return undefined
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const ids = new sdk.RandomIdGenerator()
  let rootIds: Ids | undefined
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `flotilla-${options.name}`,
      'service.instance.id': options.node,
      'flotilla.region': options.region,
    }),
    idGenerator: {
      generateTraceId: () => rootIds?.traceId ?? ids.generateTraceId(),
      generateSpanId: () => rootIds?.rootId ?? ids.generateSpanId(),
    },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url, timeoutMillis: exportMsMax }),
        maxQueueSize: spansQueuedMax,
      }),
    ],
  })
  const tracer = provider.getTracer('flotilla')
  const wallClock = followClock()

  function trace(entry: { conversation: string; seq: number }, part: TracedPart): void {
    const kept = idsOf(entry, oneIn)
    if (kept === undefined) return
    const { toWall, now } = wallClock()
    const fields = {
      startTime: toWall(part.startedAt),
      attributes: { 'flotilla.conversation': entry.conversation, 'flotilla.seq': entry.seq, ...part.attributes },
    }
    if (part.root === true) {
      rootIds = kept
      tracer.startSpan(part.name, { ...fields, root: true }).end(toWall(now))
      rootIds = undefined
      return
    }
    const parent = api.trace.setSpanContext(api.ROOT_CONTEXT, {
      traceId: kept.traceId,
      spanId: kept.rootId,
      traceFlags: api.TraceFlags.SAMPLED,
      isRemote: true,
    })
    tracer.startSpan(part.name, fields, parent).end(toWall(now))
  }

  logger.info({ oneIn }, 'tracing enabled')
  return {
    trace,
    close: () =>
      provider.shutdown().catch((error: unknown) => logger.warn({ err: error }, 'unable to send the last traces')),
  }
}

/** Wall-clock times with the resolution of the monotonic clock, following the wall clock when that is set. */
function followClock() {
  let offset = Date.now() - performance.now()
  return () => {
    const now = performance.now()
    const drift = Date.now() - (offset + now)
    if (Math.abs(drift) > clockDriftMsMax) offset += drift
    const origin = offset
    return { now, toWall: (at: number) => hrTime(origin + at) }
  }
}

/** Seconds and nanoseconds, as OpenTelemetry takes them. */
function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)]
}
