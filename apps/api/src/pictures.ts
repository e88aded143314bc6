/**
 * The way of a picture: from bytes that somebody sent to three files and the row that points to them. How many are on
 * that way at once is bounded, since each is megabytes before anything is known of it.
 */
import { randomUUID } from 'node:crypto'
import { users } from '@flotilla/chat'
import { createImages } from '@flotilla/files'
import { avatarSizes, type ErrorCode, Refusal, type User } from '@flotilla/protocol'
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

    async setAvatar(by, bytes, upload) {
      const avatar = randomUUID()
      let pointedTo: boolean | undefined = false
      try {
        await store(avatar, bytes)
        pointedTo = undefined
        return await users.changeAvatar(chat, by, { avatar, upload })
      } catch (error) {
        // Files that certainly no row points to are taken back. A commit whose answer was lost may have been one.
        if (pointedTo === false || isRefusedChange(error))
          await storage
            .remove(users.avatarKeys(avatar))
            .catch((fault: unknown) => logger.warn({ err: fault }, 'unable to delete avatar files'))
        throw error
      }
    },
  }
}

const refusedChanges: readonly ErrorCode[] = ['upload_unknown', 'user_unknown']
const isRefusedChange = (error: unknown) => error instanceof Refusal && refusedChanges.includes(error.code)
