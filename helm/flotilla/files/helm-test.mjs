/**
 * What `helm test` runs: signs up two people, opens a socket for both, sends a message from one and waits for it at the
 * other; then both accounts are given up. API_URL and SOCKET_URL say where, normally both at the edge.
 */
import { randomUUID } from 'node:crypto'

const { API_URL: api, SOCKET_URL: socketUrl } = process.env
const deadlineMs = 60_000

async function call(method, path, { token, body } = {}) {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`unable to ${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
  return text === '' ? undefined : JSON.parse(text)
}

const signUp = async () => {
  const username = `helm-test-${randomUUID().slice(0, 8)}`
  const { user, accessToken: token } = await call('POST', '/v1/users', { body: { username, password: randomUUID() } })
  return { id: user.id, username, token }
}

/** Opens a socket and waits for `hello`. `until` resolves with the first frame that fits. */
async function connect({ token, username }) {
  const { ticket, protocol, urls } = await call('GET', '/v1/connect', { token })
  console.log(`${username} is sent to ${urls.map(one => one.url).join(', ')}; tried here: ${socketUrl}`)
  const socket = new WebSocket(`${socketUrl}?ticket=${encodeURIComponent(ticket)}&v=${protocol}`)
  const frames = []
  const waiting = []
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(data)
    frames.push(frame)
    for (const one of waiting) one(frame)
  })
  const closed = new Promise((_, reject) => {
    const fail = why => reject(new Error(`the socket of ${username} closed: ${why}`))
    socket.addEventListener('close', ({ code, reason }) => fail(`${code} ${reason}`))
    socket.addEventListener('error', ({ message }) => fail(message || 'it was refused'))
  })
  closed.catch(() => {})
  const until = fits =>
    Promise.race([
      closed,
      new Promise(resolve => {
        const seen = frames.find(fits)
        if (seen !== undefined) resolve(seen)
        waiting.push(frame => fits(frame) && resolve(frame))
      }),
    ])
  await until(frame => frame.event === 'hello')
  return { send: frame => socket.send(JSON.stringify(frame)), until, close: () => socket.close(1000) }
}

async function converse(alice, bob) {
  const conversation = await call('POST', '/v1/conversations', {
    token: alice.token,
    body: { kind: 'direct', user: bob.id },
  })
  const [from, to] = [await connect(alice), await connect(bob)]
  const clientId = randomUUID()
  const sentAt = performance.now()
  from.send({ id: 1, op: 'message.send', conversation: conversation.id, clientId, body: { text: 'Does it arrive?' } })
  const reply = await from.until(frame => frame.id === 1)
  if (reply.ok === undefined) throw new Error(`unable to send: ${JSON.stringify(reply.error)}`)
  const received = await to.until(frame => frame.event === 'message.new' && JSON.stringify(frame).includes(clientId))
  if (!JSON.stringify(received).includes('Does it arrive?')) throw new Error('another text has arrived')
  console.log(`seq ${reply.ok.seq} was acknowledged and delivered in ${Math.round(performance.now() - sentAt)} ms`)
  from.close()
  to.close()
}

const deadline = setTimeout(() => {
  console.error(`unable to exchange a message: not done after ${deadlineMs / 1000} s`)
  process.exit(1)
}, deadlineMs)

const people = [await signUp(), await signUp()]
try {
  // Whomever the deployment lets write: contacts may ask, and to open what one was asked into is to accept it.
  const [{ token, id }, other] = people
  const asked = await call('POST', '/v1/contact-requests', { token, body: { user: other.id } })
  await call('POST', `/v1/contact-requests/${asked.id}/accept`, { token: other.token })
  await call('POST', '/v1/conversations', { token, body: { kind: 'direct', user: other.id } })
  await call('POST', '/v1/conversations', { token: other.token, body: { kind: 'direct', user: id } })
  await converse(...people)
} finally {
  for (const { token } of people)
    await call('PUT', '/v1/me/deletion', { token }).catch(error => console.error(error.message))
  clearTimeout(deadline)
}
