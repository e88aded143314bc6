/** What may be open about one message, one at a time. */
import type { MessageRow } from '@flotilla/sdk/state'
import type { RefObject } from 'react'

export type Dialogs =
  | { readonly kind: 'menu' | 'reactions'; readonly message: MessageRow; readonly at: RefObject<Element | null> }
  | { readonly kind: 'details' | 'forward' | 'delete' | 'remind' | 'report'; readonly message: MessageRow }
  | undefined
