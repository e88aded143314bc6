/**
 * Where a browser says that its pushes are to be sent. The worker will send requests there, so whoever may name any
 * host could reach with them what only the deployment itself can: only the hosts of known push services are taken.
 */
import { ECDH } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'

export interface WebPushKeys {
  readonly p256dh: string
  readonly auth: string
}

const authBytes = 16

/**
 * @param hosts with everything below them; one with a port stands for that port
 * @returns the endpoint in its one spelling
 * @throws Refusal field_invalid
 */
export function checkWebPush(
  subscription: { readonly endpoint: string; readonly keys: WebPushKeys },
  hosts: readonly string[],
): string {
  const { endpoint, keys } = subscription
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  // `host` is without the port where it is that of HTTPS, so that no other port passes unless it was named.
  const known = hosts.some(host => url?.host === host || url?.host.endsWith(`.${host}`))
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hash !== '' || !known)
    throw refuse('endpoint', `an https URL of ${hosts.join(', ')}`)
  if (!isPublicKey(keys.p256dh)) throw refuse('keys.p256dh', 'a public key on P-256, in base64url')
  if (Buffer.from(keys.auth, 'base64url').length !== authBytes) throw refuse('keys.auth', '16 bytes in base64url')
  return url.href
}

/** Whether it can be encrypted to: with another one every push would fail. */
function isPublicKey(text: string): boolean {
  const key = Buffer.from(text, 'base64url')
  if (key.length !== 65) return false
  try {
    ECDH.convertKey(key, 'prime256v1')
    return true
  } catch {
    return false
  }
}

function refuse(field: string, rule: string): Refusal {
  const dotted = `subscription.${field}`
  return new Refusal('field_invalid', `${dotted}: must be ${rule}`, { field: dotted, rule })
}
