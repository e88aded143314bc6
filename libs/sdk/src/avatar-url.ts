/** Where the picture of a person lies. */
import type { avatarSizes } from '@flotilla/protocol'
import { baseOf } from './http.ts'

/** Pixels of each side. */
export type AvatarSize = (typeof avatarSizes)[number]

/**
 * The URL of a picture, for `src` of an image. It needs no sign-in and may be kept for ever: another picture has another
 * id. Undefined where there is none.
 * @param api where the API is: `https://chat.example.org`
 * @param avatar as a User has it
 */
export function avatarUrl(api: string, avatar: string | null, size: AvatarSize): string | undefined {
  if (avatar === null) return undefined
  return `${baseOf(api)}/v1/avatars/${encodeURIComponent(avatar)}/${size}`
}
