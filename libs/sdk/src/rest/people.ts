/** People: as everybody sees them, as one sees oneself, and searching them. */
import type { Signed } from './signed.ts'

/** A person, in short: as they stand in every list and event. */
export interface User {
  readonly id: string
  readonly username: string
  readonly displayName: string
  /** The id of the picture, if there is one. It changes with the picture; `avatarUrl` says where it lies. */
  readonly avatar: string | null
}

/** The signed-in person. */
export interface Me extends User {
  readonly about: string
  /** Proved to be one's own, and shown to nobody else. */
  readonly email: string | null
  readonly hasPassword: boolean
  /** When the account will be erased, if that was asked for: milliseconds since 1970. */
  readonly deleteAfter?: number
  readonly createdAt: number
}

/** A person, as the caller may see them. */
export interface Profile extends User {
  readonly about: string
  /** Milliseconds since 1970. Only where the person shows it to the caller. */
  readonly lastSeenAt?: number
  readonly contact: boolean
  /** Whether the caller has blocked the person. */
  readonly blocked: boolean
}

export function createPeople(signed: Signed) {
  return {
    /**
     * By names, whatever the case and the accents, or by an exact address: ten at the most, the best first.
     * @param text 2 to 100 characters
     * @throws FlotillaError rate_limited
     */
    search: (text: string) => signed<{ users: readonly User[] }>('GET', '/v1/people', { query: { q: text } }),
  }
}
