/** What a picture of a person or a group is cut from, and how. */

/** As the server takes them. */
export const pictureTypes: readonly string[] = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

/** A square within a picture, in its own pixels. */
export interface Crop {
  readonly x: number
  readonly y: number
  readonly side: number
}

interface Size {
  readonly width: number
  readonly height: number
}

/** The largest, from the middle. */
export function middleCrop({ width, height }: Size): Crop {
  const side = Math.min(width, height)
  return { x: (width - side) / 2, y: (height - side) / 2, side }
}

/** The same square, moved and shrunk until it lies within the picture. */
export function clampCrop({ x, y, side }: Crop, { width, height }: Size): Crop {
  const fitting = Math.max(1, Math.min(side, width, height))
  const within = (at: number, length: number) => Math.min(Math.max(at, 0), length - fitting)
  return { x: within(x, width), y: within(y, height), side: fitting }
}
