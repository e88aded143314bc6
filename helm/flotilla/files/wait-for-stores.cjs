// Waits until every host:port of the arguments takes a connection; fails after five minutes, and is started again.
const { connect } = require('node:net')
const until = Date.now() + 300_000
const reach = (host, port) =>
  new Promise(resolve => {
    const socket = connect({ host, port: Number(port), timeout: 2_000 })
    const done = open => resolve(open, socket.destroy())
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .once('timeout', () => done(false))
  })
const wait = async store => {
  const [host, port] = store.split(':')
  while (!(await reach(host, port))) {
    if (Date.now() > until) throw new Error(`unable to reach ${store}: no answer for five minutes`)
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  console.log(`${store} takes connections`)
}
Promise.all(process.argv.slice(1).map(wait)).catch(error => {
  console.error(error.message)
  process.exit(1)
})
