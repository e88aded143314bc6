/**
 * A certificate that signs itself, for HTTPS servers of tests: Ed25519, good for a day. Written out in DER by hand, so
 * that no test needs a program or a package for it.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM; its own authority as well. */
  readonly certificate: string
  readonly key: string
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const lengthBytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content])
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const oid = (...bytes: readonly number[]) => der(0x06, Buffer.from(bytes))
const time = (at: Date) => der(0x18, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, '')))

const ed25519 = sequence(oid(0x2b, 0x65, 0x70))
const commonName = oid(0x55, 0x04, 0x03)
const subjectAltName = oid(0x55, 0x1d, 0x11)
const basicConstraints = oid(0x55, 0x1d, 0x13)

/** @param addresses IPv4 addresses that the server is reached at */
export function makeCertificate(addresses: readonly string[] = ['127.0.0.1']): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('flotilla test')))))
  const names = sequence(...addresses.map(one => der(0x87, Buffer.from(one.split('.').map(Number)))))
  const isAuthority = sequence(der(0x01, Buffer.from([255])))
  const extension = (id: Buffer, value: Buffer) => sequence(id, der(0x04, value))
  const day = 86_400_000
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(15)),
    ed25519,
    name,
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension(subjectAltName, names), extension(basicConstraints, isAuthority))),
  )
  const signature = der(0x03, Buffer.from([0]), sign(null, content, privateKey))
  const text = sequence(content, ed25519, signature).toString('base64').replace(/.{64}/g, '$&\n')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
