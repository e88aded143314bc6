/** Requests and transactions of IndexedDB as promises. */

export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(reason(request.error)))
  })
}

export function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(reason(transaction.error)))
  })
}

function reason(error: DOMException | null): Error {
  return new Error(`unable to use IndexedDB: ${error?.message ?? 'the transaction was aborted'}`, { cause: error })
}
