/**
 * Pictures of people: sent straight in a request, or first to where files are kept and then taken from there. Whoever
 * has the id of a picture may see it, without signing in: a page shows it by its URL, and caches keep it for ever.
 */
import { uploads, users } from '@flotilla/chat'
import { readAll } from '@flotilla/files'
import { avatarSizes, limits, Refusal } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import type { FastifySchemaCompiler } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { createPictures, type Pictures } from '../pictures.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, named, User } from '../shapes.ts'
import { validatorCompiler } from '../validate.ts'

const closed = { additionalProperties: false }
const tags = ['people']
const security = [{ accessToken: [] }]
const Done = Type.Null({ description: 'Done.' })
const cacheSeconds = 31_536_000
/** What a file is stored as until it was looked at: nobody is ever sent it. */
const unknownType = 'application/octet-stream'

const UploadPlace = named(
  'UploadPlace',
  Type.Object(
    {
      upload: Uuid,
      url: Type.String({ description: 'Where to send the bytes; without a host it is one of this API.' }),
      method: Type.Union([Type.Literal('PUT'), Type.Literal('POST')], {
        description:
          'PUT: the bytes are the body, and the access token goes with them. POST: a form, as `fields` says.',
      }),
      fields: Type.Record(Type.String(), Type.String(), {
        description: 'Of the form, to be sent before its field `file`. Empty with PUT.',
      }),
      expiresInMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)

const Bytes = Type.Unsafe<Buffer>({ type: 'string', format: 'binary' })
const consumes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

/** Bytes have no schema but that they must be there. */
const bytesCompiler: FastifySchemaCompiler<TSchema> = part =>
  part.httpPart === 'body'
    ? value =>
        Buffer.isBuffer(value) && value.length > 0
          ? { value }
          : { error: new Refusal('field_invalid', 'the request needs a body', { field: 'body', rule: 'required' }) }
    : validatorCompiler(part)

export function avatarRoutes(app: Api, deps: RouteDeps): void {
  const pictures = createPictures(deps)
  showRoute(app, deps)
  changeRoutes(app, deps, pictures)
  app.register(async scope => bytesRoutes(scope as Api, deps, pictures))
}

function showRoute(app: Api, deps: RouteDeps): void {
  const sizes = avatarSizes.map(size => Type.Literal(String(size)))
  app.get(
    '/avatars/:id/:size',
    {
      schema: {
        operationId: 'avatar',
        summary: 'Read a picture of a person',
        description:
          'Takes no token, so that an `<img>` can load it. What an id stands for never changes, so the picture may be cached for ever.',
        tags,
        params: Type.Object({ id: Uuid, size: Type.Union(sizes, { description: 'Pixels of each side.' }) }, closed),
        response: {
          200: { description: 'The picture.', content: { 'image/webp': { schema: Bytes } } },
          ...refusals('file_unknown'),
        },
      },
    },
    async (request, reply) => {
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
        .send(file.body as unknown as Buffer)
    },
  )
}

function changeRoutes(app: Api, deps: RouteDeps, pictures: Pictures): void {
  const { chat, storage, authenticate } = deps

  app.delete(
    '/me/avatar',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'removeAvatar',
        summary: 'Remove my picture',
        description:
          'Everybody who knows the person hears of it by `user.changed`. Removing a picture that is not there succeeds too.',
        tags,
        security,
        response: { 204: Done, ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async (request, reply) => {
      await users.changeAvatar(chat, request.caller.user, { avatar: null })
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/me/avatar/uploads',
    {
      preParsing: [authenticate, pictures.admit],
      schema: {
        operationId: 'promiseAvatarUpload',
        summary: 'Ask for a place to send a picture to',
        description:
          'For large pictures and slow lines: send the bytes straight to where files are kept, then name the upload in `PUT /v1/me/avatar/from-upload`.',
        tags,
        security,
        response: {
          201: answered('Where and how to send the bytes.', UploadPlace),
          ...refusals('unauthenticated', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      const { id, key, lifeMs } = await uploads.promise(chat, request.caller.user, 'avatar')
      const bytesMax = limits.pictureBytesMax
      const presigned = await storage.presignUpload(key, { bytesMax, contentType: unknownType, lifeMs })
      const place = presigned ?? { url: `/v1/uploads/${id}`, method: 'PUT' as const, fields: {} }
      return reply.code(201).send({ upload: id, ...place, expiresInMs: lifeMs })
    },
  )

  app.put(
    '/me/avatar/from-upload',
    {
      preParsing: [authenticate, pictures.admit],
      schema: {
        operationId: 'setAvatarFromUpload',
        summary: 'Set my picture from an upload',
        description:
          'Takes a picture that was sent to the place from `POST /v1/me/avatar/uploads`. The rules for pictures are those of `PUT /v1/me/avatar`.',
        tags,
        security,
        body: Type.Object({ upload: Uuid }, closed),
        response: {
          200: answered('The person with the new picture.', User),
          ...refusals(...bodyCodes, 'unauthenticated', 'upload_unknown', 'image_invalid', 'user_unknown'),
        },
      },
    },
    async request => {
      const { user } = request.caller
      const { upload } = request.body
      const { key } = await uploads.find(chat, user, upload, 'avatar')
      const file = await storage.get(key)
      if (file === undefined) throw new Refusal('upload_unknown', 'nothing has arrived in this upload')
      const bytes = await readAll(file, limits.pictureBytesMax)
      if (bytes === undefined)
        throw new Refusal('image_invalid', 'the picture is too large', {
          rule: `at most ${limits.pictureBytesMax} bytes`,
        })
      return pictures.setAvatar(user, bytes, upload)
    },
  )
}

/** Routes whose body is the file itself. Only here is a body larger than that of a message read at all. */
function bytesRoutes(app: Api, deps: RouteDeps, pictures: Pictures): void {
  const { chat, storage, authenticate } = deps
  const preParsing = [authenticate, pictures.admit]
  const options = { parseAs: 'buffer', bodyLimit: limits.pictureBytesMax } as const
  app.removeAllContentTypeParsers()
  for (const type of [/^image\//, unknownType])
    app.addContentTypeParser(type, options, async (_request: unknown, body: Buffer) => body)
  app.addContentTypeParser('*', async () => {
    throw new Refusal('field_invalid', 'content-type: must be that of a picture', {
      field: 'content-type',
      rule: 'image/*',
    })
  })

  app.put(
    '/me/avatar',
    {
      preParsing,
      bodyLimit: limits.pictureBytesMax,
      validatorCompiler: bytesCompiler,
      schema: {
        operationId: 'setAvatar',
        summary: 'Set my picture',
        description:
          'JPEG, PNG, WebP, GIF or AVIF, recognized by content; 5 MB and 40 megapixels at most. The middle is cut out and encoded anew; nothing else of the file is kept, its metadata least of all.',
        tags,
        security,
        consumes: [unknownType, ...consumes],
        body: Bytes,
        response: {
          200: answered('The person with the new picture.', User),
          ...refusals(...bodyCodes, 'unauthenticated', 'image_invalid', 'user_unknown'),
        },
      },
    },
    async request => pictures.setAvatar(request.caller.user, request.body),
  )

  app.put(
    '/uploads/:id',
    {
      preParsing,
      bodyLimit: limits.pictureBytesMax,
      validatorCompiler: bytesCompiler,
      schema: {
        operationId: 'putUpload',
        summary: 'Send the bytes of an upload',
        description:
          'Only where the answer that promised the upload names this URL, with the method and the headers that it gives.',
        tags,
        security,
        consumes: [unknownType, ...consumes],
        params: ById,
        body: Bytes,
        response: { 204: Done, ...refusals(...bodyCodes, 'unauthenticated', 'upload_unknown') },
      },
    },
    async (request, reply) => {
      const { key } = await uploads.find(chat, request.caller.user, request.params.id)
      await storage.put(key, request.body, { contentType: unknownType })
      return reply.code(204).send(null)
    },
  )
}
