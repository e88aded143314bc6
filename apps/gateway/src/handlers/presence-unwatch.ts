import type { Handler } from '../handler.ts'

export const presenceUnwatch: Handler<'presence.unwatch'> = async (deps, session, command) => {
  await deps.unwatch(session, command.users)
  return {}
}
