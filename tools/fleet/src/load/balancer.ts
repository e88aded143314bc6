/**
 * An edge in miniature for fleets of plain processes: each connection goes to the less loaded of two gateways that are
 * drawn. The real edge does the same; this one needs no cluster.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface BalancedTarget {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface Balancer {
  readonly port: number
  close(): Promise<void>
}

/** @param targets those that take connections, asked for each connection */
export async function startBalancer(targets: () => readonly BalancedTarget[]): Promise<Balancer> {
  const loads = new Map<string, number>()
  const open = new Set<Socket>()
  const loadOf = ({ name }: BalancedTarget) => loads.get(name) ?? 0

  const server = createServer({ noDelay: true }, client => {
    const all = targets()
    const draw = () => all[Math.floor(Math.random() * all.length)]
    const [one, two] = [draw(), draw()]
    if (one === undefined || two === undefined) {
      client.destroy()
      return
    }
    const target = loadOf(one) <= loadOf(two) ? one : two
    loads.set(target.name, loadOf(target) + 1)
    open.add(client)
    const upstream = connect({ host: target.host, port: target.port, noDelay: true })
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => {
      client.destroy()
      open.delete(client)
      loads.set(target.name, loadOf(target) - 1)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const client of open) client.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
