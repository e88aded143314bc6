/** Certificates for tests, signed by themselves: made here, so that no test needs openssl or holds a key that runs out. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

const tags = { integer: 2, bits: 3, octets: 4, oid: 6, text: 12, time: 24, sequence: 48, set: 49 } as const

/** One value of DER: its tag, its length, what it holds. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const oid = (hex: string) => der(tags.oid, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = der(tags.sequence, oid('2a8648ce3d040302'))
const time = (at: Date) => der(tags.time, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, '')))
const dayMs = 86_400_000

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** As a TLS client tells it: colons, capital letters. */
  readonly fingerprint: string
}

/** For these host names and IPv4 addresses, from yesterday to tomorrow. */
export function makeCertificate(names: readonly string[]): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const commonName = der(tags.sequence, oid('550403'), der(tags.text, Buffer.from(names[0] ?? '')))
  const subject = der(tags.sequence, der(tags.set, commonName))
  const alternatives = names.map(name =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  )
  const extension = der(tags.sequence, oid('551d11'), der(tags.octets, der(tags.sequence, ...alternatives)))
  const body = der(
    tags.sequence,
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.from([1]), randomBytes(8)),
    ecdsaWithSha256,
    subject,
    der(tags.sequence, time(new Date(Date.now() - dayMs)), time(new Date(Date.now() + dayMs))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(tags.sequence, extension)),
  )
  const signature = der(tags.bits, Buffer.from([0]), sign('sha256', body, privateKey))
  const certificate = der(tags.sequence, body, ecdsaWithSha256, signature)
  const lines =
    certificate
      .toString('base64')
      .match(/.{1,64}/g)
      ?.join('\n') ?? ''
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    fingerprint: createHash('sha256')
      .update(certificate)
      .digest('hex')
      .toUpperCase()
      .replace(/..(?!$)/g, '$&:'),
  }
}
