/** What images stand for on nodes whose pods are processes. tools/kube/cmd/node/images.go reads the same table. */
import { realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPostgres, findRedis } from '@flotilla/testing'
import { projectRoot } from '../root.ts'

/** Named by `repository` or, to tell versions apart, `repository:tag`. */
export interface ProcessImage {
  /** The root file system; pods see a private, writable copy of it. The machine's own, if it is left out. */
  readonly root?: string
  /** Folders and files of the machine that the image holds: `{ '/app': '/home/me/flotilla' }`. Pods cannot write there. */
  readonly folders?: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly workingFolder?: string
  readonly env?: Readonly<Record<string, string>>
  /** Who runs it unless the pod says otherwise; root by default. */
  readonly uid?: number
}

export type ImageTable = Readonly<Record<string, ProcessImage>>

/** The user of the product's images. */
const productUser = 65_532

/**
 * The images of the product, out of a checkout that was built (`npm run build`).
 * @param checkout another one, for tests with two versions; name it by a tag then: `productImages({ checkout, tag: 'old' })`
 */
export function productImages(options: { readonly checkout?: string; readonly tag?: string } = {}): ImageTable {
  const { checkout = projectRoot, tag } = options
  const image = (part: string, ...flags: readonly string[]): [string, ProcessImage] => [
    `flotilla/${part}${tag === undefined ? '' : `:${tag}`}`,
    {
      folders: { '/app': checkout, '/usr/local/bin/node': realpathSync(process.execPath) },
      command: ['node', ...flags, `apps/${part}/dist/main.js`],
      workingFolder: '/app',
      env: { NODE_ENV: 'production' },
      uid: productUser,
    },
  ]
  return Object.fromEntries([
    image('gateway', '--max-semi-space-size=64', '--initial-old-space-size=192'),
    image('api'),
    image('worker'),
  ])
}

/** The edge: docker/edge's entrypoint on an nginx of this machine, installed or unpacked into a folder of its own. */
export function edgeImage(
  nginx: { readonly command: string; readonly modules: string },
  checkout = projectRoot,
): ImageTable {
  const folder = dirname(nginx.command)
  const unpacked = nginx.modules.startsWith(folder)
  // Not at its own path: a pod that mounts a /tmp would hide what lies there.
  const inside = (path: string) => (unpacked ? path.replace(folder, '/nginx') : path)
  return {
    'flotilla/edge': {
      folders: { '/edge': join(checkout, 'docker/edge'), ...(unpacked ? { '/nginx': folder } : {}) },
      command: ['sh', '/edge/entrypoint.sh'],
      env: { NGINX: inside(nginx.command), NGINX_MODULES: inside(nginx.modules) },
      uid: productUser,
    },
  }
}

/** The user of the images of PostgreSQL and Redis. */
const storeUser = 999

/** PostgreSQL and Redis under the names and the settings of their usual images. */
export async function storeImages(folder: string): Promise<ImageTable> {
  const redis = await findRedis()
  if (redis.kind !== 'binary') throw new Error('unable to run Redis in a pod: install redis-server')
  const { initdb } = findPostgres()
  const files = writeStoreFiles(folder)
  return {
    postgres: {
      folders: {
        '/usr/local/pgsql': dirname(dirname(initdb)),
        '/usr/local/bin/start-postgres': files.start,
        '/etc/passwd': files.people,
      },
      command: ['sh', '/usr/local/bin/start-postgres'],
      env: { PATH: '/usr/local/pgsql/bin:/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
      uid: storeUser,
    },
    redis: {
      command: ['redis-server'],
      env: { ...redis.env, PATH: `${dirname(redis.command)}:/usr/bin:/bin` },
      uid: storeUser,
    },
  }
}

/** What the usual image does: makes the cluster, its user and its database by POSTGRES_…, then listens. */
const startPostgres = `set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  printf %s "$POSTGRES_PASSWORD" >"$PGDATA.password"
  initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$PGDATA.password" --auth=scram-sha-256 \\
    --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync --no-instructions
  rm "$PGDATA.password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c 'listen_addresses=*' -c unix_socket_directories= "$@"
`

function writeStoreFiles(folder: string): { start: string; people: string } {
  const files = { start: join(folder, 'start-postgres'), people: join(folder, 'passwd') }
  // "$@" of the script are the arguments that a pod appends.
  writeFileSync(files.start, startPostgres)
  // PostgreSQL refuses to run as somebody without a name.
  writeFileSync(files.people, `root:x:0:0::/:/bin/sh\npostgres:x:${storeUser}:${storeUser}::/:/bin/sh\n`)
  return files
}
