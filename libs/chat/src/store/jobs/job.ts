/** What may happen later. Each kind with all that its work needs, so that the worker asks nobody. */

/** A mail by its template, with what the template shows. The worker has the templates. */
export type Mail =
  | { readonly template: 'code'; readonly purpose: CodePurpose; readonly code: string; readonly lifeMs: number }
  /** To somebody who registers with an address that has an account already. */
  | { readonly template: 'registered-already'; readonly username: string }
  /** Something about the account changed: the person hears it where an intruder cannot hide it. */
  | {
      readonly template: 'security-notice'
      readonly username: string
      readonly kind: string
      readonly at: number
      readonly address: string
      readonly country: string
      readonly agent: string
      /** What the line of the trail says beyond that. */
      readonly detail?: Readonly<Record<string, string>>
      /** It tells of all that happened until it was due: the worker reads it from the trail. */
      readonly gathered?: Gathered
    }

/** What one mail tells of together: the events of a person that share its time. */
export interface Gathered {
  readonly user: string
  /** Milliseconds since 1970. */
  readonly due: number
}

/** What a code by mail is for. */
export type CodePurpose =
  | 'register'
  | 'sign-in'
  | 'reset-password'
  | 'change-email'
  | 'second-factor'
  | 'reauthenticate'

export type Job =
  | { readonly kind: 'mail'; readonly to: string; readonly mail: Mail }
  /** Stored things that nothing points to any more. */
  | { readonly kind: 'delete-files'; readonly keys: readonly string[] }
  /** All members are told that a message mentions them. */
  | { readonly kind: 'mention-all'; readonly conversation: string; readonly seq: number; readonly by: string }
  /** All who follow a thread are told of a reply there. */
  | {
      readonly kind: 'thread-reply'
      readonly conversation: string
      readonly thread: number
      readonly seq: number
      readonly by: string
    }
  /** Tells how a poll stands, or closes it at its time: the message `target` of a conversation. */
  | { readonly kind: 'tell-poll' | 'close-poll'; readonly conversation: string; readonly target: number }
  /** Whoever is shut out for good owns no group alone any longer. */
  | { readonly kind: 'hand-on'; readonly user: string }
  /**
   * Nothing: it stands where a mail, or another row, would, so that the store has the same work whether an address is
   * known or not.
   */
  | { readonly kind: 'nothing'; readonly to?: string; readonly mail?: Mail }

export type JobKind = Job['kind']
