import { randomBytes } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import { limits } from '@flotilla/protocol'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createImages } from './images.ts'

const images = createImages({ picturesAtOnceMax: 2, picturesQueueMax: 10 })
const red = { r: 230, g: 20, b: 20 }
const blue = { r: 20, g: 20, b: 230 }

const plain = (width: number, height: number, background = red) =>
  sharp({ create: { width, height, channels: 3, background } })

/** Two colours side by side. */
const halves = (width: number, height: number) =>
  plain(width, height).composite([
    {
      input: { create: { width: width / 2, height, channels: 3, background: blue } },
      left: width / 2,
      top: 0,
    },
  ])

/** What colour is there, as far as it matters. */
async function colourAt(picture: Buffer, x: number, y: number): Promise<'red' | 'blue' | 'other'> {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
  const [r = 0, g = 0, b = 0] = data.subarray((y * info.width + x) * info.channels)
  if (g > 90) return 'other'
  return r > 150 && b < 90 ? 'red' : b > 150 && r < 90 ? 'blue' : 'other'
}

const refused = (bytes: Uint8Array) =>
  images.avatar(bytes).then(
    () => 'taken',
    (error: { code?: string; detail?: { rule?: string } }) =>
      error.code === 'image_invalid' ? error.detail?.rule : error,
  )

test.each([
  ['JPEG', () => plain(900, 300).jpeg()],
  ['PNG', () => plain(20, 30).png()],
  ['WebP', () => plain(700, 700).webp()],
  ['GIF', () => plain(100, 100).gif()],
  ['AVIF', () => plain(100, 100).avif()],
])('of a %s three squares are made, as WebP and nothing else', async (_kind, make) => {
  const avatar = await images.avatar(await make().toBuffer())
  for (const size of [64, 256, 640] as const) {
    const about = await sharp(avatar[size]).metadata()
    expect(about).toMatchObject({ format: 'webp', width: size, height: size })
    expect(await colourAt(avatar[size], size / 2, size / 2)).toBe('red')
  }
})

test('what was cut is the middle', async () => {
  const wide = await plain(300, 100)
    .composite([
      { input: { create: { width: 100, height: 100, channels: 3, background: blue } }, left: 0, top: 0 },
      { input: { create: { width: 100, height: 100, channels: 3, background: blue } }, left: 200, top: 0 },
    ])
    .png()
    .toBuffer()
  const { 256: picture } = await images.avatar(wide)
  for (const x of [4, 128, 251]) expect(await colourAt(picture, x, 128)).toBe('red')
})

test('where and with what it was taken is gone, and so are profiles', async () => {
  const taken = await plain(400, 400)
    .withExif({
      IFD0: { Make: 'SecretCamera', Copyright: 'Secret Person' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 22/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '4/1 53/1 0/1' },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret>SecretXmp</secret></x:xmpmeta>')
    .withIccProfile('p3')
    .jpeg()
    .toBuffer()
  const before = await sharp(taken).metadata()
  expect([before.exif, before.icc, before.xmp].every(part => part !== undefined)).toBe(true)
  expect(taken.includes('SecretCamera')).toBe(true)
  for (const picture of Object.values(await images.avatar(taken))) {
    const after = await sharp(picture).metadata()
    expect(after).not.toHaveProperty('exif')
    expect(after).not.toHaveProperty('icc')
    expect(after).not.toHaveProperty('xmp')
    expect(picture.includes('Secret')).toBe(false)
  }
})

test('a picture that lies on its side is set upright', async () => {
  const lying = await halves(400, 400).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer()
  const { 256: picture } = await images.avatar(lying)
  // Turned by 90 degrees clockwise: what was left is above.
  expect(await colourAt(picture, 128, 30)).toBe('red')
  expect(await colourAt(picture, 128, 225)).toBe('blue')
  expect((await sharp(picture).metadata()).orientation).toBeUndefined()
})

test('of an animation the first picture is taken', async () => {
  const frames = await Promise.all([red, blue].map(colour => plain(80, 80, colour).png().toBuffer()))
  for (const moving of [
    await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
    await sharp(frames, { join: { animated: true } })
      .webp()
      .toBuffer(),
  ]) {
    expect((await sharp(moving).metadata()).pages).toBe(2)
    const { 64: picture } = await images.avatar(moving)
    expect(await colourAt(picture, 32, 32)).toBe('red')
    expect((await sharp(picture).metadata()).pages ?? 1).toBe(1)
  }
})

const kinds = 'JPEG, PNG, WebP, GIF or AVIF'
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'

test.each([
  ['nothing', Buffer.alloc(0), kinds],
  ['a page', Buffer.from('<!doctype html><script>alert(1)</script>'), kinds],
  ['an SVG', Buffer.from(svg), kinds],
  ['an SVG with a preface', Buffer.from(`<?xml version="1.0"?>${svg}`), kinds],
  ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj\n'), kinds],
  ['noise', randomBytes(1_000), kinds],
  ['a GIF that is a script', Buffer.from('GIF89a/*\u0001\u0000\u0001\u0000*/=1;alert(1)//'), 'a valid file'],
  [
    'a PNG by its first bytes only',
    Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(200)]),
    'a valid file',
  ],
  ['a JPEG by its first bytes only', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.from(svg)]), 'a valid file'],
])('%s is refused', async (_what, bytes, rule) => {
  // Whether noise behind a PNG's first bytes is a PNG at all is for the detector to say.
  expect([rule, kinds]).toContain(await refused(bytes))
})

test('a TIFF is refused although it could be decoded, and so is half a picture', async () => {
  expect(await refused(await plain(10, 10).tiff().toBuffer())).toBe(kinds)
  const whole = await sharp(randomBytes(300 * 300 * 3), { raw: { width: 300, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer()
  expect(await refused(whole)).toBe('taken')
  expect(await refused(whole.subarray(0, whole.length / 2))).toBe('a valid file')
})

test('a second file behind the picture does not come through', async () => {
  const both = Buffer.concat([
    await plain(50, 50).jpeg().toBuffer(),
    Buffer.from('<script>alert(1)</script>PK\u0003\u0004'),
  ])
  for (const picture of Object.values(await images.avatar(both))) expect(picture.includes('script')).toBe(false)
})

test('five megabytes are taken, one byte more is not', async () => {
  const picture = await plain(50, 50).png().toBuffer()
  const padded = Buffer.concat([picture, Buffer.alloc(limits.pictureBytesMax - picture.length)])
  expect(await refused(padded)).toBe('taken')
  expect(await refused(Buffer.concat([padded, Buffer.alloc(1)]))).toBe(`at most ${limits.pictureBytesMax} bytes`)
})

function png(width: number, height: number, data: Buffer): Buffer {
  const chunk = (name: string, body: Buffer) => {
    const named = Buffer.concat([Buffer.from(name), body])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(body.length)
    sum.writeUInt32BE(crc32(named))
    return Buffer.concat([length, named, sum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 8
  head[9] = 2
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** What this process has computed since then: a machine that stands still does not count. */
function cpuMeter(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
}

test('a bomb of 50,000 by 50,000 pixels is refused by its header: at once, and without memory', async () => {
  // Zeros that would unpack to 3 GB and more.
  const bomb = png(50_000, 50_000, deflateSync(Buffer.alloc(150_001 * 100)))
  await images.avatar(await plain(10, 10).png().toBuffer())
  const before = process.memoryUsage().rss
  const spentMs = cpuMeter()
  for (let n = 0; n < 10; n++) expect(await refused(bomb)).toBe(`at most ${limits.picturePixelsMax} pixels`)
  expect(spentMs()).toBeLessThan(2_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
})

test('a picture one pixel wide and very high is refused or drawn, but in time', async () => {
  const spentMs = cpuMeter()
  const thin = png(1, 9_000_000, deflateSync(Buffer.alloc(4 * 9_000_000)))
  expect(['taken', 'a valid file']).toContain(await refused(thin))
  expect(spentMs()).toBeLessThan(15_000)
})

test('forty megapixels are taken, a row more is not', async () => {
  expect(await refused(await plain(8_000, 5_000).png().toBuffer())).toBe('taken')
  expect(await refused(await plain(8_000, 5_001).png().toBuffer())).toBe(`at most ${limits.picturePixelsMax} pixels`)
})

test('past the queue a picture is told to come back, a failure gives its place back, and those in the queue get their turn', async () => {
  const narrow = createImages({ picturesAtOnceMax: 1, picturesQueueMax: 1 })
  const picture = await plain(50, 50).png().toBuffer()
  const taken = [
    narrow.avatar(Buffer.from('broken')).catch((error: { code: string }) => error.code),
    narrow.avatar(picture),
  ]
  await expect(narrow.avatar(picture)).rejects.toMatchObject({
    code: 'overloaded',
    detail: { retryMs: expect.any(Number) },
  })
  expect(await Promise.all(taken)).toMatchObject(['image_invalid', { 64: expect.any(Buffer) }])
  await expect(narrow.avatar(picture)).resolves.toBeDefined()
})
