import { Role, Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberChanged = entry('member.changed', 7, 'A member’s role changed.', { user: Uuid, role: Role })
