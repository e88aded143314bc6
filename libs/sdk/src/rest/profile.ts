/** What one shows of oneself, and what one decides about it. */
import { limits } from '@flotilla/protocol'
import { FlotillaError } from '../flotilla-error.ts'
import type { FileBytes } from '../http.ts'
import type { Me, User } from './people.ts'
import type { Signed } from './signed.ts'

export type Audience = 'everyone' | 'contacts' | 'nobody'

export interface Settings {
  /** To whom is shown when one was last here, and whether one is here now. */
  readonly lastSeenTo: Audience
  /** Who is told what one has read. */
  readonly readReceiptsTo: Audience
  /** Whom one is shown to who searches for one's exact address. */
  /** Contacts, unless one has said something else. */
  readonly foundByEmailTo: Audience
  /**
   * Who puts one into conversations without asking first: anyone; those one knows, while the others ask; nobody (`request`);
   * or contacts, while the others may not even ask. Null is whatever the deployment says.
   */
  readonly directFrom: 'anyone' | 'known' | 'request' | 'contacts' | null
  /** Whether a push may name people and groups. */
  readonly pushNames: boolean
  /** No push comes between the two. Hours and minutes (`22:00`) of an IANA zone; `until` may be on the next day. */
  readonly quietHours: { readonly from: string; readonly until: string; readonly zone: string } | null
}

/** Where a picture can be sent to before it is taken. */
export interface UploadPlace {
  readonly upload: string
  /** Without a host it is one of the API. */
  readonly url: string
  /** PUT: the bytes are the body. POST: a form of `fields` and then `file`. */
  readonly method: 'PUT' | 'POST'
  readonly fields: Readonly<Record<string, string>>
  readonly expiresInMs: number
}

const unknownType = 'application/octet-stream'

export function createProfile(signed: Signed, send: (url: string, form: FormData) => Promise<void>) {
  const promiseAvatarUpload = () => signed<UploadPlace>('POST', '/v1/me/avatar/uploads')
  const setAvatarFromUpload = (upload: string) => signed<User>('PUT', '/v1/me/avatar/from-upload', { body: { upload } })

  return {
    /** What is left out stays. @throws FlotillaError field_invalid */
    change: (change: { readonly displayName?: string; readonly about?: string }) =>
      signed<Me>('PATCH', '/v1/me', { body: change }),
    /** Who sees what, and what is pushed when. */
    settings: () => signed<Settings>('GET', '/v1/me/settings'),
    /** What is left out stays. What is hidden disappears from the screens of others at once. */
    changeSettings: (change: Partial<Settings>) => signed<Settings>('PATCH', '/v1/me/settings', { body: change }),

    /**
     * Sets the picture: JPEG, PNG, WebP, GIF or AVIF, 5 MB and 40 megapixels at the most. The middle is cut out.
     * @throws FlotillaError image_invalid, overloaded
     */
    async setAvatar(picture: FileBytes): Promise<User> {
      refuseTooLarge(picture)
      return signed('PUT', '/v1/me/avatar', { file: picture, headers: { 'content-type': typeOf(picture) } })
    },
    /** As `setAvatar`, by way of where the deployment keeps its files: for large pictures and slow lines. */
    async uploadAvatar(picture: FileBytes): Promise<User> {
      refuseTooLarge(picture)
      const place = await promiseAvatarUpload()
      if (place.method === 'PUT')
        await signed<undefined>('PUT', place.url, { file: picture, headers: { 'content-type': unknownType } })
      else await send(place.url, formOf(place, picture))
      return setAvatarFromUpload(place.upload)
    },
    /** Takes the picture away. */
    removeAvatar: () => signed<undefined>('DELETE', '/v1/me/avatar'),
  }
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

function formOf({ fields }: UploadPlace, picture: FileBytes): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([picture]))
  return form
}
