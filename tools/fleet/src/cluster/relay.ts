/**
 * The first process in the network of a cluster, that keeps it alive and is the way in for the tests, which stay outside:
 * whoever connects to its Unix socket writes `host port` and a line end, and is then connected to that.
 * Run as: node relay.ts SOCKET NETWORKS ADDRESS… with the networks of Services, comma-separated.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

const [socketPath = '', services = '', ...addresses] = process.argv.slice(2)

execFileSync('ip', ['link', 'set', 'lo', 'up'])
for (const address of addresses) execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'])
// A packet to a Service has to be on some way before kube-proxy sends it on another.
for (const network of services.split(','))
  execFileSync('ip', ['route', 'add', network, 'dev', 'lo', 'src', addresses[0] ?? ''])
// Packets from pod to pod pass through here.
writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
// All clients call one address from one: ten thousand that come back at once leave their former ports in TIME_WAIT. Of the
// 28,000 that the kernel takes by itself none was free then, and connect() looked through them for half of the driver's time.
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '10240 65535')
writeFileSync('/proc/sys/net/ipv4/tcp_tw_reuse', '1')

const server = createServer(client => {
  client.on('error', () => client.destroy())
  let heard = ''
  const listen = (bytes: Buffer): void => {
    heard += bytes.toString('latin1')
    const end = heard.indexOf('\n')
    if (end < 0) return
    client.off('data', listen)
    client.pause()
    const [host = '', port = ''] = heard.slice(0, end).split(' ')
    join(client, connect({ host, port: Number(port) }), Buffer.from(heard.slice(end + 1), 'latin1'))
  }
  client.on('data', listen)
})
server.listen(socketPath)

function join(client: Socket, target: Socket, first: Buffer): void {
  target.on('error', () => client.destroy())
  target.on('close', () => client.destroy())
  client.on('close', () => target.destroy())
  target.on('connect', () => {
    target.write(first)
    client.pipe(target)
    target.pipe(client)
  })
}
