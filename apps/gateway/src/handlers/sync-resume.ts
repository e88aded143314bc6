import { sync } from '@flotilla/chat'
import type { Handler } from '../handlers.ts'

export const syncResume: Handler<'sync.resume'> = (deps, session, command) =>
  sync.resume(deps.chat, session.user, command)
