/** A real Prometheus for tests and the preview: what it scrapes, its rules, and its answers. */
import { writeFileSync } from 'node:fs'
import { dropFolder, freePort, makeFolder, startProcess } from '@flotilla/testing'

export interface ScrapeJob {
  readonly job: string
  /** `host:port` of the operator ports. */
  readonly targets: readonly string[]
}

export interface PrometheusOptions {
  /** The binary. */
  readonly program: string
  readonly jobs: readonly ScrapeJob[]
  readonly rules: readonly string[]
  /** Also how often rules are evaluated. */
  readonly scrapeSeconds: number
}

/** A series and its samples: seconds since 1970, and the value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [number, number])[]
}

export interface Prometheus {
  readonly url: string
  /** What the expression is now. @throws with Prometheus' own words when it cannot be evaluated */
  ask(expression: string): Promise<Series[]>
  askRange(expression: string, from: number, to: number, stepSeconds: number): Promise<Series[]>
  stop(): Promise<void>
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly value?: readonly [number, string]
      readonly values?: readonly (readonly [number, string])[]
    }[]
  }
}

/** Starts it on the loopback, with a folder of its own. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const folder = makeFolder('prometheus')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const every = `${options.scrapeSeconds}s`
  const config = {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: options.rules,
    scrape_configs: options.jobs.map(({ job, targets }) => ({ job_name: job, static_configs: [{ targets }] })),
  }
  // JSON is YAML.
  writeFileSync(`${folder}/prometheus.yml`, JSON.stringify(config))
  const running = await startProcess({
    command: options.program,
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
    ready: async () => (await fetch(`${url}/-/ready`)).ok,
  }).catch((error: unknown) => {
    dropFolder(folder)
    throw error
  })

  async function get(path: string, query: Readonly<Record<string, string>>): Promise<Series[]> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query).toString()}`, {
      signal: AbortSignal.timeout(20_000),
    })
    const answer = (await response.json()) as Answer
    if (answer.status !== 'success') throw new Error(`unable to evaluate ${query['query']}: ${answer.error}`)
    return answer.data.result.map(({ metric, value, values }) => ({
      metric,
      values: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)] as const),
    }))
  }
  return {
    url,
    ask: expression => get('query', { query: expression }),
    askRange: (expression, from, to, stepSeconds) =>
      get('query_range', { query: expression, start: String(from), end: String(to), step: String(stepSeconds) }),
    async stop() {
      await running.end('SIGTERM')
      dropFolder(folder)
    },
  }
}
