/** Avatars of users and groups: uploaded in the request itself, or to file storage first. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { avatarSizes } from '../limits.ts'
import { Conversation } from './conversations.ts'
import { answered, ById, closed, done, file, inGroup, named, User } from './fields.ts'
import { routes } from './route.ts'

export const UploadTarget = named(
  'UploadTarget',
  Type.Object(
    {
      upload: Uuid,
      url: Type.String({ description: 'Where to send the bytes. Relative URLs belong to this API.' }),
      method: Type.Union([Type.Literal('PUT'), Type.Literal('POST')], {
        description: '`PUT`: send the bytes as the body, with the access token. `POST`: send a form with `fields`.',
      }),
      fields: Type.Record(Type.String(), Type.String(), {
        description: 'Form fields to send before `file`. Empty for `PUT`.',
      }),
      expiresInMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)
export type UploadTarget = Type.Static<typeof UploadTarget>

const sizes = avatarSizes.map(size => Type.Literal(String(size)))
const pictures = ['application/octet-stream', 'image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

export const avatars = routes('people', 'session', {
  getAvatar: {
    at: 'GET /v1/avatars/{id}/{size}',
    needs: 'nothing',
    summary: 'Get an avatar',
    description:
      'Needs no token, so an `<img>` can load it. An id always names the same picture, so it can be cached forever.',
    params: Type.Object({ id: Uuid, size: Type.Union(sizes, { description: 'Width and height in pixels.' }) }, closed),
    answers: { 200: file('image/webp', 'The avatar.') },
    refusals: ['file_unknown'],
  },
  removeAvatar: {
    at: 'DELETE /v1/me/avatar',
    summary: 'Remove my avatar',
    description: 'Everyone who knows the user receives `user.changed`. Succeeds even if there is no avatar.',
    answers: done(),
    refusals: ['user_unknown'],
  },
  createAvatarUpload: {
    at: 'POST /v1/me/avatar/uploads',
    summary: 'Create an avatar upload',
    description:
      'For large files and slow connections: upload straight to file storage, then call `PUT /v1/me/avatar/from-upload`.',
    answers: { 201: answered('Where and how to upload the bytes.', UploadTarget) },
    refusals: ['limit_reached'],
  },
  setAvatarFromUpload: {
    at: 'PUT /v1/me/avatar/from-upload',
    summary: 'Set my avatar from an upload',
    description: 'Uses an upload created by `POST /v1/me/avatar/uploads`. The rules of `PUT /v1/me/avatar` apply.',
    body: Type.Object({ upload: Uuid }, closed),
    answers: { 200: answered('The user with the new avatar.', User) },
    refusals: ['upload_unknown', 'image_invalid', 'user_unknown'],
  },
})

export const groupAvatars = routes('groups', 'session', {
  removeGroupAvatar: {
    at: 'DELETE /v1/conversations/{id}/avatar',
    summary: 'Remove the avatar of a group',
    description: 'Requires the `edit` permission. Succeeds even if there is none.',
    params: ById,
    answers: done(),
    refusals: inGroup,
  },
  setGroupAvatarFromUpload: {
    at: 'PUT /v1/conversations/{id}/avatar/from-upload',
    summary: 'Set the avatar of a group from an upload',
    description: 'Requires the `edit` permission. Uses an upload of the caller, from `POST /v1/me/avatar/uploads`.',
    params: ById,
    body: Type.Object({ upload: Uuid }, closed),
    answers: { 200: answered('The group with the new avatar.', Conversation) },
    refusals: [...inGroup, 'upload_unknown', 'image_invalid'],
  },
})

export const avatarFiles = routes('people', 'session', {
  setAvatar: {
    at: 'PUT /v1/me/avatar',
    summary: 'Set my avatar',
    description:
      'JPEG, PNG, WebP, GIF or AVIF, detected by content, up to 5 MB and 40 megapixels. The image is cropped to a centered square and re-encoded; metadata is discarded.',
    file: pictures,
    answers: { 200: answered('The user with the new avatar.', User) },
    refusals: ['image_invalid', 'user_unknown'],
  },
  setGroupAvatar: {
    at: 'PUT /v1/conversations/{id}/avatar',
    summary: 'Set the avatar of a group',
    description: 'Requires the `edit` permission. The rules of `PUT /v1/me/avatar` apply.',
    params: ById,
    file: pictures,
    answers: { 200: answered('The group with the new avatar.', Conversation) },
    refusals: [...inGroup, 'image_invalid'],
  },
  uploadFile: {
    at: 'PUT /v1/uploads/{id}',
    summary: 'Upload a file',
    description: 'Use it only if the response that created the upload names this URL.',
    params: ById,
    file: pictures,
    answers: done(),
    refusals: ['upload_unknown'],
  },
})
