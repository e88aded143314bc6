/** Pictures of people: sent straight in a request, or first to where files are kept and then taken from there. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { avatarSizes } from '../limits.ts'
import { answered, ById, closed, done, file, named, User } from './fields.ts'
import { routes } from './route.ts'

export const UploadPlace = named(
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
export type UploadPlace = Type.Static<typeof UploadPlace>

const sizes = avatarSizes.map(size => Type.Literal(String(size)))
const pictures = ['application/octet-stream', 'image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

export const avatars = routes('people', 'session', {
  avatar: {
    at: 'GET /v1/avatars/{id}/{size}',
    needs: 'nothing',
    summary: 'Read a picture of a person',
    description:
      'Takes no token, so that an `<img>` can load it. What an id stands for never changes, so the picture may be cached for ever.',
    params: Type.Object({ id: Uuid, size: Type.Union(sizes, { description: 'Pixels of each side.' }) }, closed),
    answers: { 200: file('image/webp', 'The picture.') },
    refusals: ['file_unknown'],
  },
  removeAvatar: {
    at: 'DELETE /v1/me/avatar',
    summary: 'Remove my picture',
    description:
      'Everybody who knows the person hears of it by `user.changed`. Removing a picture that is not there succeeds too.',
    answers: done(),
    refusals: ['user_unknown'],
  },
  promiseAvatarUpload: {
    at: 'POST /v1/me/avatar/uploads',
    summary: 'Ask for a place to send a picture to',
    description:
      'For large pictures and slow lines: send the bytes straight to where files are kept, then name the upload in `PUT /v1/me/avatar/from-upload`.',
    answers: { 201: answered('Where and how to send the bytes.', UploadPlace) },
    refusals: ['too_many'],
  },
  setAvatarFromUpload: {
    at: 'PUT /v1/me/avatar/from-upload',
    summary: 'Set my picture from an upload',
    description:
      'Takes a picture that was sent to the place from `POST /v1/me/avatar/uploads`. The rules for pictures are those of `PUT /v1/me/avatar`.',
    body: Type.Object({ upload: Uuid }, closed),
    answers: { 200: answered('The person with the new picture.', User) },
    refusals: ['upload_unknown', 'image_invalid', 'user_unknown'],
  },
})

export const avatarFiles = routes('people', 'session', {
  setAvatar: {
    at: 'PUT /v1/me/avatar',
    summary: 'Set my picture',
    description:
      'JPEG, PNG, WebP, GIF or AVIF, recognized by content; 5 MB and 40 megapixels at most. The middle is cut out and encoded anew; nothing else of the file is kept, its metadata least of all.',
    file: pictures,
    answers: { 200: answered('The person with the new picture.', User) },
    refusals: ['image_invalid', 'user_unknown'],
  },
  putUpload: {
    at: 'PUT /v1/uploads/{id}',
    summary: 'Send the bytes of an upload',
    description:
      'Only where the answer that promised the upload names this URL, with the method and the headers that it gives.',
    params: ById,
    file: pictures,
    answers: done(),
    refusals: ['upload_unknown'],
  },
})
