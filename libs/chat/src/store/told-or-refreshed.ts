import type { ChatPorts } from '../ports.ts'

/**
 * Looks into the store once more for what is told of a commit. That may fail, and the commit cannot be undone: then the
 * people concerned hear that they missed something.
 * @throws whatever `look` throws
 */
export async function toldOrRefreshed<T>(
  ctx: Pick<ChatPorts, 'emit'>,
  users: readonly string[],
  look: () => Promise<T>,
): Promise<T> {
  try {
    return await look()
  } catch (error) {
    ctx.emit({ class: 'signal', to: users, event: { event: 'refresh' } })
    throw error
  }
}
