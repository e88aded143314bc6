/** The figures of a gateway. Names and meanings stand in docs/operations.md. */
import { Counter, Gauge, Histogram, latencyBucketsSeconds, type Registry } from '@flotilla/service'

export interface GatewayMetrics {
  command(op: string, outcome: string, seconds: number): void
  refusedConnect(reason: string): void
  closed(name: string): void
  fault(): void
  /** A connection was moved by the drain, or shed. */
  moved(): void
  shed(): void
}

/** Figures that are read when Prometheus asks: name without prefix → what it is, and how it is read. */
export type Readings = Readonly<Record<string, { readonly help: string; readonly read: () => number }>>

export function createGatewayMetrics(registry: Registry, readings: Readings): GatewayMetrics {
  const registers = [registry]
  const seconds = new Histogram({
    name: 'flotilla_command_seconds',
    help: 'From the frame of a command to its reply, by operation',
    labelNames: ['op'],
    buckets: latencyBucketsSeconds,
    registers,
  })
  const commands = new Counter({
    name: 'flotilla_commands_total',
    help: 'Commands by operation and outcome: ok or the code of the error',
    labelNames: ['op', 'outcome'],
    registers,
  })
  const refused = new Counter({
    name: 'flotilla_connects_refused_total',
    help: 'Connections turned away, by reason',
    labelNames: ['reason'],
    registers,
  })
  const closes = new Counter({
    name: 'flotilla_closes_total',
    help: 'Connections closed by the node, by the name of the close code',
    labelNames: ['code'],
    registers,
  })
  const faults = new Counter({
    name: 'flotilla_faults_total',
    help: 'Errors that nobody expected; the log has them',
    registers,
  })
  const moved = new Counter({
    name: 'flotilla_drain_moved_total',
    help: 'Connections that the drain has moved to other gateways',
    registers,
  })
  const shed = new Counter({
    name: 'flotilla_shed_total',
    help: 'Connections given away because this gateway held far more than the others',
    registers,
  })
  for (const [name, { help, read }] of Object.entries(readings)) {
    const gauge: Gauge = new Gauge({ name: `flotilla_${name}`, help, collect: () => gauge.set(read()), registers: [] })
    registry.registerMetric(gauge)
  }
  // Looking a series up by its labels costs 1 to 2 µs, at two commands a message a tenth of a gateway; so they are kept.
  const fine = new Map<string, { count: Counter.Internal; took: Histogram.Internal<'op'> }>()
  return {
    command(op, outcome, took) {
      if (outcome !== 'ok') return commands.inc({ op, outcome })
      let series = fine.get(op)
      if (series === undefined) {
        series = { count: commands.labels({ op, outcome }), took: seconds.labels({ op }) }
        fine.set(op, series)
      }
      series.count.inc()
      series.took.observe(took)
    },
    refusedConnect: reason => refused.inc({ reason }),
    closed: code => closes.inc({ code }),
    fault: () => faults.inc(),
    moved: () => moved.inc(),
    shed: () => shed.inc(),
  }
}
