/** Gathers look-ups that are asked for one by one into one query: what is asked in one turn of the loop goes together. */
import DataLoader from 'dataloader'

/**
 * @param load answers many keys at once; a key that it leaves out is answered undefined
 * @param batchMax how many keys one call of `load` gets at the most
 */
export function createLoader<V>(
  load: (keys: string[]) => Promise<Map<string, V>>,
  batchMax: number,
): (key: string) => Promise<V | undefined> {
  const loader = new DataLoader<string, V | undefined>(
    async keys => {
      // Answers are shared by those that asked together and never remembered: what is asked from now on is another question.
      loader.clearAll()
      const found = await load([...keys])
      return keys.map(key => found.get(key))
    },
    { maxBatchSize: batchMax, batchScheduleFn: flush => void setImmediate(flush) },
  )
  return key => loader.load(key)
}
