/** A real Chromium for tests: Debian's, or whichever there is. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Browser } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Its path; or undefined, after it was said aloud what is missing and how to get it. */
export function findChromium(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not this one.
      }
    }
  // Straight to the terminal: a reporter may hide what skipped tests print.
  process.stderr.write('skipped: there is no Chromium here; on Debian: apt-get install chromium\n')
  return undefined
}

/** @param lanName a name that leads to this machine, and is not localhost: what it serves over http is no secure page */
export async function openBrowser(executablePath: string, lanName?: string): Promise<Browser> {
  // Here alone: whoever needs no browser does not load all of it.
  const { chromium } = await import('playwright-core')
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
      // Each tab has a process of its own, also on a small machine.
      '--renderer-process-limit=16',
      // Whatever proxy the machine has leads out of it.
      '--no-proxy-server',
      // A page that the test itself serves has no address, and counts as one from far away.
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
      ...(lanName === undefined ? [] : [`--host-resolver-rules=MAP ${lanName} 127.0.0.1`]),
    ],
  })
}
