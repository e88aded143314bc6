/** The user's own profile, settings and avatar. */
import { limits, type UploadTarget, type User } from '@flotilla/protocol'
import { FlotillaError } from '../flotilla-error.ts'
import type { Call, FileBytes } from '../http.ts'
import type { Ask, BodyOf } from './ask.ts'

const unknownType = 'application/octet-stream'

/** Files go where an answer says: to the API with the access token, and elsewhere without it. */
export const createProfile = (ask: Ask, signed: Call, unsigned: Call) => ({
  /** Omitted fields stay unchanged. @throws FlotillaError field_invalid */
  change: (change: BodyOf<'PATCH /v1/me'>) => ask('PATCH /v1/me', { body: change }),
  /** Privacy settings and quiet hours. */
  settings: () => ask('GET /v1/me/settings'),
  /** Omitted fields stay unchanged. Hidden information disappears for other users at once. */
  changeSettings: (change: BodyOf<'PATCH /v1/me/settings'>) => ask('PATCH /v1/me/settings', { body: change }),

  /**
   * Sets the avatar: JPEG, PNG, WebP, GIF or AVIF, up to 5 MB and 40 megapixels, cropped to a centered square.
   * @throws FlotillaError image_invalid, overloaded
   */
  async setAvatar(picture: FileBytes): Promise<User> {
    return ask('PUT /v1/me/avatar', pictureFile(picture))
  },
  /** Like `setAvatar`, but uploads to file storage: for large files and slow connections. */
  async uploadAvatar(picture: FileBytes): Promise<User> {
    refuseTooLarge(picture)
    const place = await ask('POST /v1/me/avatar/uploads')
    const at = `${place.method} ${place.url}`
    if (place.method === 'PUT') await signed(at, { file: picture, headers: { 'content-type': unknownType } })
    else await unsigned(at, { file: formOf(place, picture) })
    return ask('PUT /v1/me/avatar/from-upload', { body: { upload: place.upload } })
  },
  /** Removes the avatar. */
  removeAvatar: () => ask('DELETE /v1/me/avatar'),
})

/** A picture as a call takes it. @throws FlotillaError image_invalid */
export function pictureFile(picture: FileBytes) {
  refuseTooLarge(picture)
  return { file: picture, headers: { 'content-type': typeOf(picture) } }
}

/** Spares the way: a store elsewhere would not say it in words of ours. */
function refuseTooLarge(picture: FileBytes): void {
  const { pictureBytesMax } = limits
  const bytes = picture instanceof Blob ? picture.size : picture.byteLength
  if (bytes <= pictureBytesMax) return
  const rule = `at most ${pictureBytesMax} bytes`
  throw new FlotillaError('image_invalid', `unable to send the picture: it has ${bytes} bytes, ${rule}`, { rule })
}

/** The server looks at the bytes and not at this; but it takes pictures only by the name of one. */
const typeOf = (picture: FileBytes) =>
  picture instanceof Blob && picture.type.startsWith('image/') ? picture.type : unknownType

function formOf({ fields }: UploadTarget, picture: FileBytes): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([picture]))
  return form
}
