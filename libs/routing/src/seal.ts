/**
 * What nodes say to each other through Redis is sealed: who can read there learns nothing of what people write, and who can
 * write there cannot speak for a node. AES-256-GCM under a key that each process derives for itself, so that its nonces may
 * count up: random ones would wear a key out within days. docs/decisions/0018 has the reasons and the cost.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { setLatest } from './latest.ts'

export interface FleetKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** The first seals, all open, so that keys can be rotated. All nodes of a fleet have the same. */
export type FleetKeys = readonly FleetKey[]

export interface Seal {
  /** @param purpose where the text may be read: `inbox:node`, `lease:node`. It opens nowhere else */
  seal(text: string, purpose: string): Buffer
  /** The text, or undefined when no key of this node opens it for this purpose. */
  open(bytes: Buffer, purpose: string): string | undefined
}

/** The first byte: the way in which it is sealed. */
const sealedMark = 1
const saltBytes = 16
const counterBytes = 8
const tagBytes = 16
/** Other processes whose derived keys are kept: as many as a large fleet starts in a day of roll-outs. */
const derivedMax = 8_192

const derive = ({ key }: FleetKey, salt: Uint8Array) =>
  Buffer.from(hkdfSync('sha256', key, salt, 'flotilla routing', 32))

/** A nonce of 12 bytes from a counter of 8. */
function nonceOf(counter: Uint8Array): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.set(counter, 4)
  return nonce
}

export function createSeal(keys: FleetKeys): Seal {
  const [first] = keys
  if (first === undefined) throw new Error('unable to seal: there is no key')
  const byId = new Map(keys.map(key => [key.id, key]))
  /** By the head of what they sealed, in the order of their last use. */
  const derived = new Map<string, Buffer>()

  function keyOf(head: Buffer): { readonly name: string; readonly key: Buffer } | undefined {
    const name = head.toString('latin1')
    const known = derived.get(name)
    if (known !== undefined) return { name, key: known }
    const fleetKey = byId.get(head.toString('latin1', 2, head.length - saltBytes))
    return fleetKey && { name, key: derive(fleetKey, head.subarray(head.length - saltBytes)) }
  }

  return {
    seal: createSealer(first),
    open(bytes, purpose) {
      const headBytes = 2 + (bytes[1] ?? 0) + saltBytes
      if (bytes[0] !== sealedMark || bytes.length < headBytes + counterBytes + tagBytes) return undefined
      const found = keyOf(bytes.subarray(0, headBytes))
      if (found === undefined) return undefined
      const { name, key } = found
      const bodyAt = headBytes + counterBytes
      const tagAt = bytes.length - tagBytes
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(bytes.subarray(headBytes, bodyAt)), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(Buffer.from(purpose))
      decipher.setAuthTag(bytes.subarray(tagAt))
      let plain: Buffer
      try {
        // As bytes: when asked for text, node:crypto takes a decoder for streams, and half as long again.
        plain = decipher.update(bytes.subarray(bodyAt, tagAt))
        // What has a false tag is never shown: this throws.
        decipher.final()
      } catch {
        return undefined
      }
      // Only now: who has no key could fill the map otherwise.
      setLatest(derived, name, key, derivedMax)
      return plain.toString()
    },
  }
}

function createSealer(fleetKey: FleetKey): Seal['seal'] {
  const salt = randomBytes(saltBytes)
  const key = derive(fleetKey, salt)
  const head = Buffer.concat([Buffer.from([sealedMark, fleetKey.id.length]), Buffer.from(fleetKey.id, 'latin1'), salt])
  let sealed = 0n
  return (text, purpose) => {
    const counter = Buffer.alloc(counterBytes)
    counter.writeBigUInt64BE(sealed++)
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter), { authTagLength: tagBytes })
    cipher.setAAD(Buffer.from(purpose))
    return Buffer.concat([head, counter, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  }
}
