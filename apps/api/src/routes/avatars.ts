/**
 * Pictures of people and groups: sent straight in a request, or first to where files are kept and then taken from there. Whoever
 * has the id of a picture may see it, without signing in: a page shows it by its URL, and caches keep it for ever.
 */
import { conversations, uploads, users } from '@flotilla/chat'
import { limits, Refusal } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { createPictures, type Pictures } from '../pictures.ts'
import { serve } from '../http/serve.ts'

const cacheSeconds = 31_536_000
/** What a file is stored as until it was looked at: nobody is ever sent it. */
const unknownType = 'application/octet-stream'

export function avatarRoutes(app: Api, deps: RouteDeps): void {
  const { chat, storage } = deps
  const pictures = createPictures(deps)
  app.register(async scope => fileRoutes(scope, deps, pictures))
  serve(app, deps, rest.avatars, {
    getAvatar: async (request, reply) => {
      const { id, size } = request.params
      const file = await deps.storage.get(users.avatarKey(id, Number(size)))
      if (file === undefined) throw new Refusal('file_unknown')
      return reply
        .headers({
          'content-type': 'image/webp',
          'content-length': file.bytes,
          'cache-control': `public, max-age=${cacheSeconds}, immutable`,
          'content-security-policy': "default-src 'none'; sandbox",
          'x-content-type-options': 'nosniff',
        })
        .send(file.body)
    },

    removeAvatar: async request => {
      await users.changeAvatar(chat, request.caller.user, { avatar: null })
    },

    createAvatarUpload: {
      admit: pictures.admit,
      handle: async request => {
        const { id, key, lifeMs } = await uploads.promise(chat, request.caller.user, 'avatar')
        const bytesMax = limits.pictureBytesMax
        const presigned = await storage.presignUpload(key, { bytesMax, contentType: unknownType, lifeMs })
        const place = presigned ?? { url: `/v1/uploads/${id}`, method: 'PUT' as const, fields: {} }
        return { upload: id, ...place, expiresInMs: lifeMs }
      },
    },

    setAvatarFromUpload: {
      admit: pictures.admit,
      handle: async request => {
        const { user } = request.caller
        const { upload } = request.body
        const bytes = await pictures.readUpload(user, upload)
        return pictures.setAvatar(user, bytes, upload)
      },
    },
  })
  serve(app, deps, rest.groupAvatars, {
    removeGroupAvatar: async ({ params, caller }) => {
      await conversations.changePicture(chat, caller.user, { conversation: params.id, avatar: null })
    },

    setGroupAvatarFromUpload: {
      admit: pictures.admit,
      handle: ({ params, body, caller }) => pictures.setGroupAvatar(caller.user, params.id, body),
    },
  })
}

/** Routes whose body is the file itself. Only here is a body larger than that of a message read at all. */
function fileRoutes(app: Api, deps: RouteDeps, pictures: Pictures): void {
  const { chat, storage } = deps
  const options = { parseAs: 'buffer', bodyLimit: limits.pictureBytesMax } as const
  app.removeAllContentTypeParsers()
  for (const type of [/^image\//, unknownType])
    app.addContentTypeParser(type, options, async (_request: unknown, body: Buffer) => body)
  app.addContentTypeParser('*', async () => {
    throw new Refusal('field_invalid', 'content-type: must be an image type', {
      field: 'content-type',
      rule: 'image/*',
    })
  })

  serve(app, deps, rest.avatarFiles, {
    setAvatar: {
      admit: pictures.admit,
      bodyLimit: limits.pictureBytesMax,
      handle: async request => pictures.setAvatar(request.caller.user, request.body),
    },

    setGroupAvatar: {
      admit: pictures.admit,
      bodyLimit: limits.pictureBytesMax,
      handle: ({ params, body, caller }) => pictures.setGroupAvatar(caller.user, params.id, body),
    },

    uploadFile: {
      admit: pictures.admit,
      bodyLimit: limits.pictureBytesMax,
      handle: async request => {
        const { key } = await uploads.find(chat, request.caller.user, request.params.id)
        await storage.put(key, request.body, { contentType: unknownType })
      },
    },
  })
}
