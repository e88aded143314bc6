/** The development inbox holds everybody's codes, and a reverse proxy on the same machine makes everybody a local caller. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '@flotilla/testing'
import { type Attack, check, none } from '../attack.ts'
import { createCall } from '../rest.ts'
import type { Stand } from '../stand.ts'

const mailed = 'dave@example.org'

export const devMail: Attack = {
  name: 'dev-mail',
  by: 'an outsider',
  tries: 'to read the development inbox of a standalone through a default reverse proxy on its machine',
  async run(stand) {
    const database = await stand.database()
    stand.afterwards(() => database.drop())
    const settings = {
      DATABASE_URL: database.url,
      OPERATOR_HOST: '127.0.0.1',
      SMTP_URL: undefined,
      REDIS_URL: undefined,
    }
    const standalone = await stand.startPart('standalone', settings)
    stand.afterwards(() => standalone.end())
    const own = createCall(standalone.url)
    // A machine with much else to do sheds: then one comes back.
    await until(
      async () => (await own('POST /v1/codes', { body: { email: mailed, purpose: 'register' } })).status === 202,
      { what: 'a code is asked for', withinMs: 30_000, everyMs: 500 },
    )
    const key = await until(
      async () => {
        const printed = /\/dev\/mail\?key=([\w-]+)/.exec(standalone.log())?.[1]
        const { body } = await own(`GET /dev/mail.json?key=${printed}`)
        return JSON.stringify(body).includes(mailed) && printed
      },
      { what: 'the operator sees the mail', withinMs: 20_000, everyMs: 100 },
    ).catch(() => '')

    const read: string[] = []
    for (const [kind, headers] of Object.entries(proxies(standalone.port))) {
      const call = createCall(await startProxy(stand, standalone.port, headers))
      // Whoever knows the key is the operator; behind a proxy that says what it is not even they.
      const keys = kind === 'hidden' ? ['', '?key=', '?key=0000'] : ['', '?key=', `?key=${key}`]
      for (const path of ['/dev/mail', '/dev/mail.json'])
        for (const query of keys) {
          const { status, body } = await call(`GET ${path}${query}`)
          if (status < 400 || JSON.stringify(body).includes(mailed)) read.push(`${kind}: ${path}${query}: ${status}`)
        }
    }
    const fleet = await stand.call('GET /dev/mail.json', { from: stand.address() })
    return [
      check('the operator reads it at the printed address', key !== '', key === '' ? 'nothing is there' : 'they do'),
      none('no proxy is answered with a mail', read),
      check('a fleet has no such page', fleet.status === 404, fleet.status),
    ]
  },
}

/** What proxies of many kinds write; `hidden` is one that writes nothing and passes the host on as this machine. */
const proxies = (port: number): Record<string, Record<string, string>> => ({
  nginx: { host: `127.0.0.1:${port}`, 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' },
  forwarded: { host: 'localhost', forwarded: 'for=203.0.113.9;proto=https' },
  via: { host: `127.0.0.1:${port}`, via: '1.1 proxy' },
  hidden: { host: `127.0.0.1:${port}` },
})

async function startProxy(stand: Stand, port: number, headers: Record<string, string>): Promise<string> {
  const proxy = createServer((incoming, response) => {
    const options = { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers }
    const forwarded = request(options, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  stand.afterwards(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}
