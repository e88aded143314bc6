/** A name server for tests whose answers change while it runs: A and AAAA over UDP, whatever else is asked gets nothing. */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { isIPv4 } from 'node:net'

export interface NameServer {
  /** `127.0.0.1:port`, as the setting RESOLVER wants it. */
  readonly address: string
  /** From now on the name has these addresses; none: the name does not exist. */
  set(name: string, addresses: readonly string[]): void
  /** How often the addresses of a name were asked for. */
  asked(name: string): number
  close(): Promise<void>
}

const typeA = 1
const typeAaaa = 28
const ttlSeconds = 1
const nameUnknown = 3

export async function startNameServer(): Promise<NameServer> {
  const names = new Map<string, readonly string[]>()
  const asked = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, from: RemoteInfo) => {
    const question = questionOf(query)
    if (question === undefined) return
    const { name, type } = question
    if (type === typeA) asked.set(name, (asked.get(name) ?? 0) + 1)
    socket.send(answerTo(query, question, names.get(name) ?? []), from.port, from.address)
  })
  await new Promise<void>(resolve => void socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    set: (name, addresses) => void names.set(name, addresses),
    asked: name => asked.get(name) ?? 0,
    close: () => new Promise(resolve => socket.close(() => resolve())),
  }
}

interface Question {
  readonly name: string
  readonly type: number
  /** Where it ends in the query. */
  readonly end: number
}

/** @returns undefined when the query cannot be read */
function questionOf(query: Buffer): Question | undefined {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at + 5 > query.length) return undefined
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function answerTo(query: Buffer, { type, end }: Question, addresses: readonly string[]): Buffer {
  const fitting = addresses.filter(address => type === (isIPv4(address) ? typeA : typeAaaa))
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  // An answer, with authority and recursion.
  header.writeUInt16BE(0x8580 | (addresses.length === 0 ? nameUnknown : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(fitting.length, 6)
  return Buffer.concat([header, query.subarray(12, end), ...fitting.map(record)])
}

function record(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address)
  const head = Buffer.alloc(12)
  // The name is the one of the question, at offset 12.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(isIPv4(address) ? typeA : typeAaaa, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttlSeconds, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right] = address.split('::')
  const groups = (part: string) => part.split(':').filter(group => group !== '')
  const [before, after] = [groups(left), groups(right ?? '')]
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [at, group] of [...before, ...middle, ...after].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), at * 2)
  return bytes
}
