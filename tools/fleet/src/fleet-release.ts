/**
 * The product on a cluster as its users install it: PostgreSQL and Redis as pods, and the chart. What the tests of the
 * roll-out, the scaling and the load stand on.
 */
import type { Cluster, Pod } from './cluster.ts'

export interface ReleaseOptions {
  readonly cluster: Cluster
  readonly name?: string
  readonly namespace?: string
  /** Values of the chart on top of those that the cluster needs. */
  readonly values?: Readonly<Record<string, unknown>>
}

export interface FleetRelease {
  readonly name: string
  readonly namespace: string
  /** Where clients connect: `http://<address>`; the edge's Service, on its own port 80. */
  readonly edgeUrl: string
  /** For tests that make people by SQL; reachable from inside the cluster's network. */
  readonly databaseUrl: string
  readonly redisUrl: string
  /** As the chart generated them. */
  keys(): Promise<{ readonly masterKeys: string; readonly ticketKeys: string }>
  /** `helm upgrade` with further values, that stay for the upgrades after it. Does not wait. */
  upgrade(values: Readonly<Record<string, unknown>>): Promise<void>
  rollback(): Promise<void>
  /** Pods of a part, also those that are ending. */
  pods(component: 'gateway' | 'api' | 'worker' | 'edge'): Promise<Pod[]>
  /** Until every part is rolled out and nobody is ending any more. */
  settled(withinMs?: number): Promise<void>
  /** One figure of a pod's /metrics, added up over its labels; undefined when the pod does not answer. */
  metric(pod: Pod, name: string): Promise<number | undefined>
  uninstall(): Promise<void>
}
