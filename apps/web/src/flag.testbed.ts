/** A picture that tests upload: three colours side by side, as a PNG. */
import { crc32, deflateSync } from 'node:zlib'

export function flag(width: number, height: number): Buffer {
  const colours = ['b3261e', 'ffffff', '0b6a83'].map(hex => Buffer.from(hex, 'hex'))
  const line = Buffer.concat([
    Buffer.from([0]),
    ...Array.from({ length: width }, (_, at) => colours[Math.floor((at * 3) / width)]!),
  ])
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  const data = deflateSync(Buffer.concat(Array.from({ length: height }, () => line)))
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(name: string, data: Buffer): Buffer {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  const body = Buffer.concat([Buffer.from(name), data])
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
