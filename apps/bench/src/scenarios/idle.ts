/** Idle connections: what one of them costs in memory, in one process and over several. */
import { setTimeout as pause } from 'node:timers/promises'
import { filesMax, show } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import { type Load, startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import type { Side, Stand } from '../sides/side.ts'
import { socketIo } from '../sides/socketio.ts'
import { uws } from '../sides/uws.ts'
import { type Defer, tidily } from '../tidy.ts'
import { weigh } from '../weigh.ts'

const kilobytesMax = 1.5
/** Files that a server needs beside its sockets. */
const filesSpare = 500
const pingIntervalMs = 25_000

export const idle: Scenario = {
  name: 'idle',
  title: 'Idle connections',
  about:
    'Connections that are signed in, with a session and a presence entry, and ping every 25 s; each has pinged at least once. ' +
    'Memory is the private memory of the server process, before the first connection and after the last, each time after a ' +
    'garbage collection. Socket.IO’s connections sign in the same way; bare uWebSockets.js has no sign-in, and its figure is ' +
    'the floor. The kernel’s share is the growth of its slab and TCP memory, halved because both ends are on this machine.',
  run,
}

interface Crowd {
  readonly name: string
  readonly connections: number
  readonly processes: number
  /** By process. */
  readonly bytesPerConnection: readonly number[]
  readonly kernelBytesPerConnection: number
  readonly redisBytesPerConnection: number
  /** CPU seconds a second and 1,000 connections while they only stay. */
  readonly idleCpu: number
}

async function run(bench: Bench): Promise<Report> {
  const room = filesMax() - filesSpare
  const one = bench.short ? 400 : Math.min(18_000, room)
  const many = bench.short
    ? { processes: 2, connections: 800 }
    : { processes: 5, connections: Math.min(80_000, room * 5) }
  const crowds: Crowd[] = []
  const hold = async (side: Side, connections: number, processes: number) => {
    const crowd = await tidily(defer => holdCrowd(bench, side, connections, processes, defer))
    const bytes = crowd.bytesPerConnection.map(value => show(value / 1_024)).join(', ')
    bench.say(`  ${side.name}, ${connections} in ${processes}: ${bytes} KB each`)
    crowds.push(crowd)
  }
  await hold(bench.flotilla, one, 1)
  await hold(uws, one, 1)
  await hold(socketIo, one, 1)
  await hold(bench.flotilla, many.connections, many.processes)
  return report(crowds)
}

/** Many clients on one core are late with their pings; what is measured here is memory, not punctuality. */
const patient = { PING_INTERVAL_MS: '240000' }

async function holdCrowd(
  bench: Bench,
  side: Side,
  connections: number,
  processes: number,
  defer: Defer,
): Promise<Crowd> {
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open(side.name)
  defer(() => ground.close())
  await side.populate(ground, { people: connections })
  await ground.checkpoint()
  const stand = await side.start(ground, { nodes: processes, core: serverCore, inspect: true, env: patient })
  defer(() => stand.stop())
  const share = Math.ceil(connections / processes)
  const loads: Load<'idle'>[] = []
  for (let node = 0; node < processes; node++) {
    const first = node * share
    const count = Math.min(share, connections - first)
    const plan = { fleet: stand.fleet, node, first, connections: count, pingIntervalMs }
    const load = await startLoad('idle', plan, loadCore)
    defer(() => load.stop())
    loads.push(load)
  }
  const before = await weigh(stand, ground)
  for (const load of loads) await load.call('connect')
  const cpuBefore = cpuOf(stand)
  const stay = bench.short ? 2_000 : pingIntervalMs * 1.2
  await pause(stay)
  const idleCpu = (cpuOf(stand) - cpuBefore) / (stay / 1_000) / (connections / 1_000)
  const after = await weigh(stand, ground)
  let held = 0
  for (const load of loads) held += await load.call('held')
  if (held !== connections)
    throw new Error(`the run on ${side.name} does not count: ${held} of ${connections} connections stayed`)
  return {
    name: side.name,
    connections,
    processes,
    bytesPerConnection: after.processes.map(
      (bytes, at) => (bytes - before.processes[at]!) / Math.min(share, connections),
    ),
    kernelBytesPerConnection: (after.kernel - before.kernel) / connections / 2,
    redisBytesPerConnection: (after.redis - before.redis) / connections,
    idleCpu,
  }
}

const cpuOf = (stand: Stand) => stand.processes.reduce((sum, one) => sum + one.cpuSeconds(), 0)

function report(crowds: readonly Crowd[]): Report {
  const kilobytes = (bytes: number) => show(bytes / 1_024)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const ours = crowds.filter(crowd => crowd.name === 'Flotilla')
  const most = (crowd: Crowd) => Math.max(...crowd.bytesPerConnection) / 1_024
  return {
    targets: ours.map(crowd => ({
      promise: `${crowd.connections.toLocaleString('en-US')} signed-in connections in ${crowd.processes === 1 ? 'one process' : `${crowd.processes} processes`}: at most ${kilobytesMax} KB of process memory each`,
      result: `${show(most(crowd))} KB${crowd.processes === 1 ? '' : ' in the process with most'}`,
      met: most(crowd) <= kilobytesMax,
    })),
    tables: [
      {
        caption: 'Memory for each connection',
        head: [
          '',
          'connections',
          'processes',
          'KB of the process',
          'KB of the kernel',
          'KB of Redis',
          'CPU s a second per 1,000, idle',
        ],
        rows: crowds.map(crowd => [
          crowd.name,
          crowd.connections.toLocaleString('en-US'),
          String(crowd.processes),
          kilobytes(mean(crowd.bytesPerConnection)),
          kilobytes(crowd.kernelBytesPerConnection),
          kilobytes(crowd.redisBytesPerConnection),
          show(crowd.idleCpu),
        ]),
      },
    ],
    notes: [],
    raw: crowds,
  }
}
