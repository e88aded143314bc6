/** A collector of traces for tests: takes OTLP over HTTP as JSON, the real protocol, and keeps what it was sent. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  /** Which process it came from: `service.name`, then `service.instance.id`. */
  readonly process: string
  readonly attributes: Readonly<Record<string, string | number>>
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint
  readonly endedAt: bigint
}

export interface TraceCollector {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  /** Everything that came in, as it came. */
  raw(): string
  close(): Promise<void>
}

type Attributes = readonly { key: string; value: { stringValue?: string; intValue?: number; doubleValue?: number } }[]

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string
        readonly spanId: string
        readonly parentSpanId?: string
        readonly name: string
        readonly attributes: Attributes
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
      }[]
    }[]
  }[]
}

const toRecord = (attributes: Attributes) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue ?? '']),
  )

export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = []
  let raw = ''
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      raw += text
      for (const { resource, scopeSpans } of (JSON.parse(text) as OtlpBody).resourceSpans) {
        const of = toRecord(resource.attributes)
        for (const span of scopeSpans.flatMap(scope => scope.spans))
          spans.push({
            traceId: span.traceId,
            spanId: span.spanId,
            parentSpanId: span.parentSpanId || undefined,
            name: span.name,
            process: `${of['service.name']} ${of['service.instance.id']}`,
            attributes: toRecord(span.attributes),
            startedAt: BigInt(span.startTimeUnixNano),
            endedAt: BigInt(span.endTimeUnixNano),
          })
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    raw: () => raw,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
