/** A value that changes, and the hook that reads it. */
import { useSyncExternalStore } from 'react'

export interface Readable<T> {
  get(): T
  /** @returns what ends it */
  subscribe(changed: () => void): () => void
}

export interface Value<T> extends Readable<T> {
  set(next: T): void
}

export function createValue<T>(first: T): Value<T> {
  let held = first
  const listeners = new Set<() => void>()
  return {
    get: () => held,
    set(next) {
      if (Object.is(next, held)) return
      held = next
      for (const changed of listeners) changed()
    },
    subscribe(changed) {
      listeners.add(changed)
      return () => void listeners.delete(changed)
    },
  }
}

export const useValue = <T>(value: Readable<T>): T => useSyncExternalStore(value.subscribe, value.get)
