/**
 * Pictures of people. What comes in is a stranger's: it is looked at by its first bytes, its size is read before it is
 * decoded, few are decoded at once, and what is stored is drawn anew, so that nothing but pixels comes through: no place
 * where the picture was taken, no second file behind the first.
 */
import { type avatarSizes, limits, Refusal } from '@flotilla/protocol'
import pLimit from 'p-limit'
import type Sharp from 'sharp'

export type AvatarSize = (typeof avatarSizes)[number]
export type Avatar = Readonly<Record<AvatarSize, Buffer>>

const { pictureBytesMax, picturePixelsMax } = limits
/** What a hostile picture may take that is small in bytes and in pixels. */
const decodeSecondsMax = 10
const quality = 82
const overloadRetryMs = 2_000

export interface Images {
  /**
   * A square from the middle, upright, in three sizes, as WebP. Of an animation the first picture.
   * @throws Refusal image_invalid, overloaded
   */
  avatar(bytes: Uint8Array): Promise<Avatar>
}

export interface ImagesOptions {
  /** Decoded at once. One of 40 megapixels can take 160 MB for a moment. */
  readonly picturesAtOnceMax: number
  readonly picturesQueueMax: number
}

/** By the first bytes, whatever the sender calls it; and what the decoder must call it then. */
const kinds: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/apng': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'heif',
}

const refuse = (rule: string, why: string) => new Refusal('image_invalid', `the image ${why}`, { rule })

let loaded: Promise<typeof Sharp> | undefined

/** Loaded at the first picture: most processes never see one. */
function loadSharp(): Promise<typeof Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.concurrency(1)
    sharp.cache(false)
    // The decoder picks its loader by the content, and knows more formats than are taken here.
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map(name => `VipsForeignLoad${name}`),
    })
    return sharp
  })
  return loaded
}

/** The file is looked at, not decoded. @throws Refusal image_invalid */
async function checkPicture(sharp: typeof Sharp, bytes: Uint8Array): Promise<void> {
  if (bytes.length > pictureBytesMax) throw refuse(`at most ${pictureBytesMax} bytes`, 'is too large')
  const { fileTypeFromBuffer } = await import('file-type')
  const kind = kinds[(await fileTypeFromBuffer(bytes).catch(() => undefined))?.mime ?? '']
  if (kind === undefined) throw refuse('JPEG, PNG, WebP, GIF or AVIF', 'has an unsupported format')
  const { format, width, height } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => Promise.reject(broken()))
  if (format !== kind) throw broken()
  if (width * height > picturePixelsMax) throw refuse(`at most ${picturePixelsMax} pixels`, 'has too many pixels')
}

const broken = () => refuse('a valid file', 'is corrupt')

async function draw(sharp: typeof Sharp, bytes: Uint8Array): Promise<Avatar> {
  const large = 640
  // Decoded once, at the largest size; the others are made of that. Without being told to keep it, sharp drops all that
  // is not pixels, after it has used the orientation and the colour profile.
  const { data, info } = await sharp(bytes, { limitInputPixels: picturePixelsMax, failOn: 'error' })
    .autoOrient()
    .resize(large, large, { fit: 'cover' })
    .toColourspace('srgb')
    .timeout({ seconds: decodeSecondsMax })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(() => Promise.reject(broken()))
  const { width, height, channels } = info
  const at = (size: AvatarSize) =>
    sharp(data, { raw: { width, height, channels } }).resize(size, size).webp({ quality }).toBuffer()
  return { 64: await at(64), 256: await at(256), [large]: await at(large) }
}

export function createImages(options: ImagesOptions): Images {
  const { picturesAtOnceMax, picturesQueueMax } = options
  const limit = pLimit(picturesAtOnceMax)

  return {
    async avatar(bytes) {
      if (limit.activeCount + limit.pendingCount >= picturesAtOnceMax + picturesQueueMax)
        throw new Refusal('overloaded', 'unable to process the image: too many in the queue', {
          retryMs: overloadRetryMs,
        })
      return limit(async () => {
        const sharp = await loadSharp()
        await checkPicture(sharp, bytes)
        return draw(sharp, bytes)
      })
    },
  }
}
