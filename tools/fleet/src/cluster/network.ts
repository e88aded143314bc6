/**
 * The network that a cluster lives in: a namespace of its own without any way out, so that neither the machine's network
 * nor another cluster's is touched. Its addresses mean nothing outside.
 */
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type StartedProcess, startProcess } from '@flotilla/testing'
import { type CommandOptions, makeFolderIn, runCommand } from './folders.ts'

/** Where the control plane, CoreDNS and the kubelets listen. Pods of the nth node are in 10.88.n.0/24. */
export const addresses = {
  controlPlane: '10.88.0.1',
  node: (nth: number) => `10.88.0.${100 + nth}`,
  podsOf: (nth: number) => `10.88.${nth}.0/24`,
  pods: '10.88.0.0/16',
  services: '10.96.0.0/16',
  /** The Service `kubernetes`: always the first one. */
  api: '10.96.0.1',
  /** Where clients call from. */
  callers: Array.from({ length: 64 }, (_, index) => `10.88.200.${index + 1}`),
  /** What the cloud's load balancer would give to Services. */
  balancers: '10.97.0.0/24',
  balancer: (nth: number) => `10.97.0.${nth}`,
} as const

export const nodesMax = 20

export interface InsideRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly withinMs?: number
}

export interface InsideResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface Forward {
  readonly port: number
  close(): Promise<void>
}

export interface ClusterNetwork {
  /** Put before a command, it runs in this network. It becomes the command, so that signals reach that. */
  readonly launcher: readonly string[]
  /** A stream to an address of this network. */
  connect(host: string, port: number): Socket
  fetch(url: string, options?: InsideRequest): Promise<InsideResponse>
  /** A port on this machine's loopback that leads there. */
  forward(host: string, port: number): Promise<Forward>
  /** Whether something listens there. */
  reaches(host: string, port: number): Promise<boolean>
  stop(): Promise<void>
}

export async function startNetwork(folder: string): Promise<ClusterNetwork> {
  const socketPath = join(folder, 'relay.sock')
  const nodes = Array.from({ length: nodesMax }, (_, index) => addresses.node(index + 1))
  const relay: StartedProcess = await startProcess({
    command: 'unshare',
    args: [
      '--net',
      process.execPath,
      fileURLToPath(new URL('relay.ts', import.meta.url)),
      socketPath,
      [addresses.services, addresses.balancers].join(','),
      addresses.controlPlane,
      ...nodes,
      ...addresses.callers,
    ],
    folder: makeFolderIn(folder, 'network'),
    ready: () => answers(socketPath),
  })

  const open = (host: string, port: number): Socket => {
    const socket = connect(socketPath)
    socket.write(`${host} ${port}\n`)
    return socket
  }
  return {
    launcher: ['nsenter', `--net=/proc/${relay.pid}/ns/net`, '--'],
    connect: open,
    fetch: (url, options = {}) => fetchThrough(open, new URL(url), options),
    forward: (host, port) => forward(() => open(host, port)),
    reaches: (host, port) => reaches(open(host, port)),
    stop: () => relay.end('SIGKILL'),
  }
}

/** Runs a command in the network, to its end. @returns what it wrote */
export function runInside(
  { launcher }: Pick<ClusterNetwork, 'launcher'>,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const [enter = '', ...rest] = [...launcher, ...command]
  return runCommand(enter, rest, { name: command.join(' '), ...options })
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(socketPath, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

async function forward(open: () => Socket): Promise<Forward> {
  const clients = new Set<Socket>()
  const server = createServer(client => {
    const target = open()
    const end = () => {
      clients.delete(client)
      client.destroy()
      target.destroy()
    }
    clients.add(client)
    for (const socket of [client, target]) socket.on('error', end).on('close', end)
    client.pipe(target).pipe(client)
  })
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  server.unref()
  return {
    port,
    async close() {
      for (const client of clients) client.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** The relay hangs up when it is refused itself; silence for a moment means that it was let in. */
function reaches(socket: Socket): Promise<boolean> {
  return new Promise(resolve => {
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(100, () => settle(true))
    socket.on('error', () => settle(false))
    socket.on('close', () => settle(false))
  })
}

function fetchThrough(
  open: ClusterNetwork['connect'],
  url: URL,
  { method = 'GET', headers = {}, body, withinMs = 10_000 }: InsideRequest,
): Promise<InsideResponse> {
  const port = Number(url.port || 80)
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, connection: 'close', ...headers },
        createConnection: () => open(url.hostname, port),
        signal: AbortSignal.timeout(withinMs),
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    asked.on('error', error =>
      reject(new Error(`unable to ask ${method} ${url.href}: ${String(error)}`, { cause: error })),
    )
    asked.end(body)
  })
}
