import { Cursor, Uuid } from '../fields.ts'
import { event } from '../message.ts'

const receipt = { conversation: Uuid, user: Uuid, seq: Cursor }

export const deliveredUpTo = event('message.delivered', "A member's devices have everything up to seq.", receipt)
export const readUpTo = event('message.read', 'A member has read everything up to seq.', receipt)
