/** Passkeys by the browser's own means; undefined where it has none, and then no page offers them. */
import type { PasskeyCeremonies } from '@flotilla/sdk'

type Json<T> = Parameters<T extends (options: infer O) => unknown ? (options: O) => void : never>[0]

const canUse =
  typeof PublicKeyCredential === 'function' &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'

export const passkeys: PasskeyCeremonies | undefined = canUse
  ? {
      async create({ optionsJSON }) {
        const options = optionsJSON as unknown as Json<typeof PublicKeyCredential.parseCreationOptionsFromJSON>
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
        return toJson(await navigator.credentials.create({ publicKey }))
      },
      async get({ optionsJSON }) {
        const options = optionsJSON as unknown as Json<typeof PublicKeyCredential.parseRequestOptionsFromJSON>
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
        return toJson(await navigator.credentials.get({ publicKey }))
      },
    }
  : undefined

function toJson<T>(credential: Credential | null): T {
  if (credential instanceof PublicKeyCredential) return credential.toJSON() as T
  throw new Error('the browser brought no passkey')
}
