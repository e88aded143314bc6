/** What the composer of a conversation is about: a message of its own, an answer, or the change of a message. */
import type { MessageRow } from '@flotilla/sdk/state'
import { createValue, type Value } from '../../app/value.ts'

export type Mode =
  | { readonly kind: 'post' }
  | { readonly kind: 'reply'; readonly message: MessageRow }
  | { readonly kind: 'edit'; readonly message: MessageRow }

export const posting: Mode = { kind: 'post' }
export const createMode = (): Value<Mode> => createValue<Mode>(posting)
