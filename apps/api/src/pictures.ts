/**
 * The way of a picture: from bytes that somebody sent to three files and the row that points to them. How many are on
 * that way at once is bounded, since each is megabytes before anything is known of it.
 */
import { randomUUID } from 'node:crypto'
import { conversations, uploads, users } from '@flotilla/chat'
import { createImages, readAll } from '@flotilla/files'
import { avatarSizes, type Conversation, limits, Refusal, type User } from '@flotilla/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RouteDeps } from './app.ts'
import { take } from './http/limits.ts'

export interface Pictures {
  /** The hook of routes that take a picture. It runs after the sign-in and before the body is read. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /**
   * Gives a person this picture.
   * @param upload where it came from, which is done with then
   * @throws Refusal image_invalid, overloaded, upload_unknown, user_unknown, unavailable
   */
  setAvatar(by: string, bytes: Uint8Array, upload?: string): Promise<User>
  /**
   * Gives a group this picture. Who may not is refused before anything is made of it.
   * @throws Refusal image_invalid, overloaded, upload_unknown, conversation_unknown, not_a_member, not_a_group,
   *   role_insufficient, rate_limited, unavailable
   */
  setGroupAvatar(
    by: string,
    conversation: string,
    picture: Uint8Array | { readonly upload: string },
  ): Promise<Conversation>
  /** The bytes that have arrived in an upload of the caller's. @throws Refusal upload_unknown, image_invalid */
  readUpload(by: string, upload: string): Promise<Uint8Array>
}

const retryMs = 2_000

export function createPictures(deps: RouteDeps): Pictures {
  const { chat, storage, settings, logger } = deps
  const images = createImages(settings)
  const seats = settings.picturesAtOnceMax + settings.picturesQueueMax
  let taken = 0

  async function store(avatar: string, bytes: Uint8Array): Promise<void> {
    const pictures = await images.avatar(bytes)
    await Promise.all(
      avatarSizes.map(size =>
        storage.put(users.avatarKey(avatar, size), pictures[size], { contentType: 'image/webp' }),
      ),
    )
  }

  /** @param point makes something point to the files */
  async function keep<T>(bytes: Uint8Array, point: (avatar: string) => Promise<T>): Promise<T> {
    const avatar = randomUUID()
    let isStored = false
    try {
      await store(avatar, bytes)
      isStored = true
      return await point(avatar)
    } catch (error) {
      // Files that certainly no row points to are taken back. A commit whose answer was lost may have been one.
      if (!isStored || !isUnclear(error))
        await storage
          .remove(users.avatarKeys(avatar))
          .catch((fault: unknown) => logger.warn({ err: fault }, 'unable to delete avatar files'))
      throw error
    }
  }

  return {
    async admit(request, reply) {
      await take(deps.counter, `picture:${request.caller.user}`, settings.pictures)
      // Whoever went away meanwhile has said so already, and would keep a seat for ever.
      if (taken >= seats || reply.raw.destroyed)
        throw new Refusal('overloaded', 'too many uploads in progress', { retryMs })
      taken++
      // It comes once for every answer, also when the caller went away.
      reply.raw.once('close', () => void taken--)
    },

    setAvatar: (by, bytes, upload) => keep(bytes, avatar => users.changeAvatar(chat, by, { avatar, upload })),

    async setGroupAvatar(by, conversation, picture) {
      await conversations.demandMayChangePicture(chat, by, conversation)
      const upload = 'upload' in picture ? picture.upload : undefined
      const bytes = 'upload' in picture ? await readUpload(by, picture.upload) : picture
      await keep(bytes, avatar => conversations.changePicture(chat, by, { conversation, avatar, upload }))
      return conversations.get(chat, by, conversation)
    },

    readUpload,
  }

  async function readUpload(by: string, upload: string): Promise<Uint8Array> {
    const { key } = await uploads.find(chat, by, upload, 'avatar')
    const file = await storage.get(key)
    if (file === undefined) throw new Refusal('upload_unknown', 'nothing has arrived in this upload')
    const bytes = await readAll(file, limits.pictureBytesMax)
    if (bytes !== undefined) return bytes
    const rule = `at most ${limits.pictureBytesMax} bytes`
    throw new Refusal('image_invalid', 'the picture is too large', { rule })
  }
}

/** Whether a commit may have been made all the same. */
const isUnclear = (error: unknown) =>
  !(error instanceof Refusal) || error.code === 'unavailable' || error.code === 'internal'
