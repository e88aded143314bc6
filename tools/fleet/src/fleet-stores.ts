/** PostgreSQL and Redis as pods of a cluster, in a namespace of their own: what a fleet is given by URL. */
import { until } from '@flotilla/testing'
import type { Cluster } from './cluster.ts'

export interface Stores {
  /** As pods reach them. */
  readonly insideDatabaseUrl: string
  readonly insideRedisUrl: string
  /** On this machine's loopback. */
  readonly databaseUrl: string
  readonly redisUrl: string
  close(): Promise<void>
}

const storesNamespace = 'stores'
const password = 'secret'

export async function startStores(cluster: Cluster, { durable }: { readonly durable: boolean }): Promise<Stores> {
  await cluster.apply(manifests(durable))
  const addressOf = async (name: string) => {
    const path = `/api/v1/namespaces/${storesNamespace}/services/${name}`
    return (await cluster.api.get<{ spec: { clusterIP: string } }>(path)).spec.clusterIP
  }
  await until(
    async () => {
      const pods = await cluster.api.pods(storesNamespace)
      const ready = pods.filter(({ status }) =>
        status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      )
      return ready.length === 2
    },
    { what: 'PostgreSQL and Redis are ready', withinMs: 60_000, everyMs: 250 },
  )
  const database = await cluster.forward(await addressOf('postgres'), 5_432)
  const redis = await cluster.forward(await addressOf('redis'), 6_379)
  return {
    insideDatabaseUrl: `postgres://flotilla:${password}@postgres.${storesNamespace}:5432/flotilla`,
    insideRedisUrl: `redis://redis.${storesNamespace}:6379`,
    databaseUrl: `postgres://flotilla:${password}@127.0.0.1:${database.port}/flotilla`,
    redisUrl: `redis://127.0.0.1:${redis.port}`,
    async close() {
      await database.close()
      await redis.close()
    },
  }
}

/** Without fsync a crash of the machine would lose data; the death of the pod does not. */
const manifests = (durable: boolean) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${storesNamespace}}
---
${store({
  name: 'postgres',
  port: 5_432,
  args: [
    '-c',
    'max_connections=300',
    '-c',
    'shared_buffers=256MB',
    ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off']),
  ],
  env: { POSTGRES_USER: 'flotilla', POSTGRES_DB: 'flotilla', POSTGRES_PASSWORD: password, PGDATA: '/data/pgdata' },
})}
---
${store({ name: 'redis', port: 6_379, args: ['--save', '', '--appendonly', 'no', '--protected-mode', 'no'], env: {} })}
`

interface Store {
  readonly name: string
  readonly port: number
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A store that is replaced comes back empty: PostgreSQL's data is its node's, so its pod must stay. */
function store({ name, port, args, env }: Store): string {
  const variables = Object.entries(env).map(([key, value]) => ({ name: key, value }))
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${storesNamespace}}
spec:
  selector: {app: ${name}}
  ports: [{port: ${port}, targetPort: ${port}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}, namespace: ${storesNamespace}}
spec:
  serviceName: ${name}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      # Tests take down other nodes.
      nodeSelector: {kubernetes.io/hostname: node-1}
      terminationGracePeriodSeconds: 5
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: {runAsNonRoot: true, fsGroup: 999}
      containers:
        - name: ${name}
          image: ${name}
          imagePullPolicy: IfNotPresent
          args: ${JSON.stringify(args)}
          env: ${JSON.stringify(variables)}
          workingDir: /data
          readinessProbe: {tcpSocket: {port: ${port}}, periodSeconds: 1}
          volumeMounts:
            - {name: data, mountPath: /data}
      volumes:
        - {name: data, emptyDir: {}}`
}
