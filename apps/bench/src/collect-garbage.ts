/** Has a server collect its garbage, through the port of its debugger, so that what remains is what it needs. */

/** @param url where the debugger listens; undefined where the process was started without one */
export async function collectGarbage(url: string | undefined): Promise<void> {
  if (url === undefined) throw new Error('unable to collect garbage: the process has no debugger open')
  const socket = new WebSocket(url)
  const opened = Promise.withResolvers<void>()
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () =>
    opened.reject(new Error(`unable to collect garbage: nobody answers at ${url}`)),
  )
  await opened.promise
  const collected = Promise.withResolvers<void>()
  socket.addEventListener('message', () => collected.resolve())
  socket.send('{"id":1,"method":"HeapProfiler.collectGarbage"}')
  await collected.promise
  socket.close()
}
