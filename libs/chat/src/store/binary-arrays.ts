/**
 * PostgreSQL arrays in the binary format of the protocol. Measured against text arrays they save 3 to 10 % of a batch,
 * and they need no escaping at all, so no body can be misread.
 * Layout: dimensions, has-nulls, element type, length, lower bound, then (bytes, value) for each element.
 */

const oids = { uuid: 2950, int4: 23, int8: 20, bytea: 17 } as const
const headerBytes = 20

/** The buffer, with its header, and a view to write the rest: a method of Buffer is a call each time, one of a view is not. */
function start(oid: number, count: number, bodyBytes: number): { readonly buffer: Buffer; readonly view: DataView } {
  const buffer = Buffer.allocUnsafe(headerBytes + bodyBytes)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  view.setInt32(0, 1)
  view.setInt32(4, 0)
  view.setInt32(8, oid)
  view.setInt32(12, count)
  view.setInt32(16, 1)
  return { buffer, view }
}

/** An array whose elements all take the same number of bytes. */
function fixedArray<T>(
  oid: number,
  bytes: number,
  values: readonly T[],
  write: (view: DataView, value: T, at: number) => void,
): Buffer {
  const { buffer, view } = start(oid, values.length, values.length * (4 + bytes))
  let at = headerBytes
  for (const value of values) {
    view.setInt32(at, bytes)
    write(view, value, at + 4)
    at += 4 + bytes
  }
  return buffer
}

/** The value of a hexadecimal digit by its character code. */
const digits = new Uint8Array(128)
for (let value = 0; value < 16; value++) digits[value.toString(16).charCodeAt(0)] = value

/**
 * By hand: a write of hex into a buffer takes 580 ns, this 100, and a message has four ids. V8 has half a dozen shapes of
 * strings, and ids come in all of them; a method that is looked up on each takes 500 ns in all.
 */
function writeUuid(view: DataView, uuid: string, at: number): void {
  for (let from = 0, to = at; from < 36; from += 2) {
    if (codeAt.call(uuid, from) === dash) from++
    view.setUint8(to++, (digits[codeAt.call(uuid, from)]! << 4) | digits[codeAt.call(uuid, from + 1)]!)
  }
}
const codeAt = String.prototype.charCodeAt
const dash = 45

/** @param values in the usual form with dashes, in lower case */
export const uuidArray = (values: readonly string[]): Buffer => fixedArray(oids.uuid, 16, values, writeUuid)

export const int4Array = (values: readonly number[]): Buffer =>
  fixedArray(oids.int4, 4, values, (view, value, at) => view.setInt32(at, value))

/** @param values whole numbers that a double holds exactly */
export const int8Array = (values: readonly number[]): Buffer =>
  fixedArray(oids.int8, 8, values, (view, value, at) => {
    const high = Math.floor(value / 2 ** 32)
    view.setInt32(at, high)
    view.setUint32(at + 4, value - high * 2 ** 32)
  })

export function byteaArray(values: readonly Buffer[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += 4 + value.length
  const { buffer, view } = start(oids.bytea, values.length, bytes)
  let at = headerBytes
  for (const value of values) {
    view.setInt32(at, value.length)
    value.copy(buffer, at + 4)
    at += 4 + value.length
  }
  return buffer
}
