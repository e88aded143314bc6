/** Metrics of one process for Prometheus. Names begin with `flotilla_`; units come last, as Prometheus has it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry }

/** Bounds for what a person waits for: from a quarter of a millisecond to ten seconds. */
export const latencyBucketsSeconds = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** A registry with the process's own figures (memory, CPU, event loop) already in it. */
export function createRegistry(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  collectDefaultMetrics({ register: registry })
  return registry
}
