/** What the matrix of authorization asks about: things of the owner, and how the group stands. */
import { createHash, randomUUID } from 'node:crypto'
import { type ChatContext, links, messages, scheduled } from '@flotilla/chat'
import type { Cast } from '@flotilla/testing'

/** The cast, and the domain that it stands in. */
export interface Scene extends Cast {
  readonly chat: ChatContext
}

export const tomorrow = () => Date.now() + 86_400_000
export const message = () => ({ clientId: randomUUID(), body: { text: 'Hello' } })

export async function aSession({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO sessions (id, user_id, device_name, expires_at) VALUES ($1, $2, 'other', now() + interval '1 day')`,
    [id, people.owner.user],
  )
  return id
}

export async function aDevice({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($1::uuid, $2, $3, 'phone', 'android', 'fcm', $1::text, $4)`,
    [id, people.owner.user, people.owner.session, createHash('sha256').update(id).digest()],
  )
  return id
}

export async function aNotification({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO notifications (id, user_id, kind, dedup) VALUES ($1::uuid, $2, 'security_notice', $1::text)`,
    [id, people.owner.user],
  )
  return id
}

export async function aPasskey({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO passkeys (id, user_id, name, public_key, counter, synced) VALUES ($1, $2, 'key', '', 0, false)`,
    [id, people.owner.user],
  )
  return id
}

export async function anInvitation({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO invitations (id, code_hash, user_id, by_operator, uses_max, expires_at)
     VALUES ($1, $2, $3, false, 1, now() + interval '1 day')`,
    [id, Buffer.from(id), people.owner.user],
  )
  return id
}

export async function anUpload({ chat, people }: Scene): Promise<string> {
  const id = randomUUID()
  await chat.pool.query(
    `INSERT INTO uploads (id, user_id, purpose, expires_at) VALUES ($1, $2, 'avatar', now() + interval '1 hour')`,
    [id, people.owner.user],
  )
  return id
}

/** From somebody whom the owner does not know. */
export async function aContactRequest(scene: Scene): Promise<string> {
  const id = randomUUID()
  await scene.chat.pool.query('INSERT INTO contact_requests (id, from_id, to_id) VALUES ($1, $2, $3)', [
    id,
    scene.newcomer.user,
    scene.people.owner.user,
  ])
  return id
}

export const permit = (scene: Scene, permissions: object) =>
  scene.chat.pool.query(
    `UPDATE conversations SET settings = jsonb_build_object('permissions', $2::jsonb) WHERE id = $1`,
    [scene.group, JSON.stringify(permissions)],
  )

export const ban = (scene: Scene, user: string) =>
  scene.chat.pool.query('INSERT INTO group_bans (conversation_id, user_id) VALUES ($1, $2)', [scene.group, user])

export const silence = (scene: Scene) =>
  scene.chat.pool.query(
    `INSERT INTO group_silences (conversation_id, user_id, until) VALUES ($1, $2, now() + interval '1 hour')`,
    [scene.group, scene.people.member.user],
  )

export const aLink = (scene: Scene, approval = false) =>
  links.make(scene.chat, scene.people.owner.user, { conversation: scene.group, approval })

/** Of the newcomer. @returns its URL */
export async function aJoinRequest(scene: Scene): Promise<string> {
  await scene.chat.pool.query('INSERT INTO join_requests (conversation_id, user_id) VALUES ($1, $2)', [
    scene.group,
    scene.newcomer.user,
  ])
  return `/v1/conversations/${scene.group}/join-requests/${scene.newcomer.user}`
}

export async function aScheduled(scene: Scene): Promise<string> {
  const at = tomorrow()
  return (
    await scheduled.schedule(scene.chat, scene.people.owner.user, { conversation: scene.group, ...message(), at })
  ).id
}

export const post = (scene: Scene, who: 'target') =>
  messages.post(scene.chat, scene[who].user, { conversation: scene.group, ...message() })
