/** Tests that a machine cannot run are skipped, and it is said which and why. */

/** @param missing what is missing, and how to get it; nothing when the tests can run. @returns whether to skip them */
export function skipAloud(what: string, missing: string | undefined): boolean {
  // Straight to the terminal: a reporter may hide what skipped tests print.
  if (missing !== undefined) process.stderr.write(`skipped: ${what}: ${missing}\n`)
  return missing !== undefined
}
