/** Undoes what was started, last first, whether the work in between went well or not. */

export type Defer = (undo: () => Promise<void>) => void

/** Runs work that notes with `defer` how each thing that it starts is ended. */
export async function tidily<T>(work: (defer: Defer) => Promise<T>): Promise<T> {
  const undos: (() => Promise<void>)[] = []
  try {
    return await work(undo => undos.push(undo))
  } finally {
    for (const undo of undos.toReversed())
      await undo().catch((error: unknown) => console.error('unable to clean up:', error))
  }
}
