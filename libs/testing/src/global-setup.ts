/** What vitest runs before and after all test files: the servers that they share. */
import { serveServers } from './servers.ts'

/** @returns the tear-down */
export default function setup(): Promise<() => Promise<void>> {
  return serveServers()
}
