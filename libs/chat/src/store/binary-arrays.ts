/**
 * PostgreSQL arrays in the binary format of the protocol. Measured against text arrays they save 3 to 10 % of a batch,
 * and they need no escaping at all, so no body can be misread.
 * Layout: dimensions, has-nulls, element type, length, lower bound, then (bytes, value) for each element.
 */

const oids = { uuid: 2950, int4: 23, int8: 20, bytea: 17 } as const
const headerBytes = 20

function start(oid: number, count: number, bodyBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + bodyBytes)
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
  return buffer
}

/** An array whose elements all take the same number of bytes. */
function fixedArray<T>(
  oid: number,
  bytes: number,
  values: readonly T[],
  write: (buffer: Buffer, value: T, at: number) => void,
): Buffer {
  const buffer = start(oid, values.length, values.length * (4 + bytes))
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(bytes, at)
    write(buffer, value, at + 4)
    at += 4 + bytes
  }
  return buffer
}

/** The value of a hexadecimal digit by its character code. */
const digits = new Uint8Array(128)
for (let value = 0; value < 16; value++) digits[value.toString(16).charCodeAt(0)] = value

/** By hand: a write of hex into a buffer costs three times as much (580 ns against 200), and a message has four ids. */
function writeUuid(buffer: Buffer, uuid: string, at: number): void {
  for (let from = 0, to = at; from < 36; from += 2) {
    if (uuid.charCodeAt(from) === dash) from++
    buffer[to++] = (digits[uuid.charCodeAt(from)]! << 4) | digits[uuid.charCodeAt(from + 1)]!
  }
}
const dash = 45

/** @param values in the usual form with dashes, in lower case */
export const uuidArray = (values: readonly string[]): Buffer => fixedArray(oids.uuid, 16, values, writeUuid)

export const int4Array = (values: readonly number[]): Buffer =>
  fixedArray(oids.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at))

/** @param values whole numbers that a double holds exactly */
export const int8Array = (values: readonly number[]): Buffer =>
  fixedArray(oids.int8, 8, values, (buffer, value, at) => {
    const high = Math.floor(value / 2 ** 32)
    buffer.writeInt32BE(high, at)
    buffer.writeUInt32BE(value - high * 2 ** 32, at + 4)
  })

export function byteaArray(values: readonly Buffer[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += 4 + value.length
  const buffer = start(oids.bytea, values.length, bytes)
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(value.length, at)
    value.copy(buffer, at + 4)
    at += 4 + value.length
  }
  return buffer
}
