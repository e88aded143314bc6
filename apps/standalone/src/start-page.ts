/**
 * The page at `/start`, for those who build on Flotilla: what runs here, where its docs are and how to try it with two
 * people. One file of HTML without a script; its style and its icon are the only things that its policy lets in.
 */
import { createHash } from 'node:crypto'

export interface StartPage {
  readonly html: string
  /** The content security policy that goes with it. */
  readonly policy: string
}

/**
 * @param at where people reach this process, and whether what was not mailed is shown. Where, only the terminal says: this page
 *   is read by whoever a proxy lets in.
 */
export function startPage(at: { readonly url: string; readonly showsMail: boolean }): StartPage {
  const hash = createHash('sha256').update(style).digest('base64')
  return {
    html: page(at.url, at.showsMail),
    policy: [
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string) => text.replaceAll(/[&<>"']/g, sign => escapes[sign] ?? '')

/** Three sails, one behind the other. */
const sails = (colour: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="40" height="40" aria-hidden="true" fill="${colour}"><path d="M8 46 20 20v26z" opacity=".45"/><path d="M20 46 36 12v34z" opacity=".7"/><path d="M38 46V6c12 12 18 26 18 40z"/><path d="M4 51h56c-3 6-8 8-14 8H18c-6 0-11-2-14-8z"/></svg>`
const icon = `data:image/svg+xml,${encodeURIComponent(sails('#0e7490'))}`

/** A box of code that can be scrolled by keys when it is wider than the screen. */
const code = (label: string, text: string) =>
  `<pre tabindex="0" role="region" aria-label="${escape(label)}"><code>${escape(text)}</code></pre>`

const link = (href: string, name: string, what: string) =>
  `<li><a href="${href}"><strong>${name}</strong><span>${what}</span></a></li>`

function page(url: string, showsMail: boolean): string {
  const chat = `npm run chat --${url === 'http://localhost:8080' ? '' : ` --url ${url}`}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Flotilla is up</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<header>
${sails('currentColor')}
<div>
<h1>Flotilla is up</h1>
<p>A chat backend: sockets, REST and a worker in one process, on <code>${escape(url)}</code>. Talk to it from its
<a href="/"><u>web client</u></a>, from a terminal, from your own app, or by hand.</p>
</div>
</header>
<main>
<nav aria-label="Docs">
<ul>
${link('/docs', 'API reference', 'every route, to read and try')}
${link('/v1/openapi.json', 'OpenAPI', 'the machine-readable version')}
${link('/readyz', 'Readiness', 'and if not ready, why')}
</ul>
</nav>
<section>
<h2>Two people, two terminals</h2>
<p>In the Flotilla folder, run one line in each terminal. Type a line to send it: ✓ means stored, ✓✓ delivered.
<kbd>/help</kbd> lists the commands.</p>
${code('Commands for two terminals', `${chat} --as alice --with bob\n${chat} --as bob --with alice`)}
</section>
<section>
<h2>Your own app</h2>
<p>The SDK in <code>libs/sdk</code> takes care of the connection, message order and unsent messages.</p>
${code('TypeScript with the SDK', snippet(url))}
</section>
<section>
<h2>By hand</h2>
<p>Register a user, then ask where to open a socket. <code>docs/protocol.md</code> describes the protocol.
${showsMail ? 'The terminal of <code>npm start</code> shows the URL of the page with everything that would have been mailed or pushed.' : ''}</p>
${code('Commands with curl', byHand(url))}
</section>
</main>
<footer>
<p>Press Ctrl-C to stop; your data is kept for the next start. <code>README.md</code> leads on to a fleet.</p>
</footer>
</body>
</html>
`
}

const snippet = (url: string) => `import { createClient, createSignIn, textOf } from '@flotilla/sdk'

const api = '${url}'
const account = createSignIn(api)
await account.register({ username: 'carol', password: 'a long enough phrase' })

const client = createClient({ api, getToken: account.getToken })
client.on('message', ({ body }) => console.log(textOf(body)))
await client.start()

const bob = await client.rest.userByName('bob')
const talk = await client.rest.createDirect(bob.id)
client.send({ conversation: talk.id, body: { text: 'Hello, bob' } })`

const byHand = (url: string) => `api=${url}/v1
json='content-type: application/json'
curl -s $api/users -H "$json" \\
  -d '{"username": "dave", "password": "a long enough phrase"}'
token=…   # accessToken of the answer
curl -s $api/connect -H "authorization: Bearer $token"`

const style = `
:root { --ink: #12303c; --soft: #4b6672; --paper: #f5f8f8; --card: #fff; --line: #d5e1e3; --sea: #0e7490; --box: #0d2833 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3eff1; --soft: #9db8c0; --paper: #0a1c24; --card: #10272f; --line: #22424d; --sea: #5cc8dd; --box: #071419 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: clamp(1.25rem, 5vw, 4rem) clamp(1rem, 5vw, 2.5rem); background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif }
header { display: flex; gap: 1rem; align-items: flex-start }
header svg { flex: none; width: 3.25rem; height: 3.25rem; color: var(--sea) }
h1 { margin: 0; font-size: clamp(1.7rem, 5vw, 2.4rem); line-height: 1.15; letter-spacing: -.02em }
h2 { margin: 0 0 .3rem; font-size: 1.15rem }
p { margin: .35rem 0; max-width: 44rem; color: var(--soft) }
a { color: inherit; text-decoration: none }
code, kbd, pre { font-family: ui-monospace, 'Cascadia Code', Menlo, Consolas, 'Liberation Mono', monospace; font-size: .88em }
pre code { font-size: 1em }
p code, kbd { color: var(--ink); overflow-wrap: anywhere }
kbd { padding: .05em .35em; border: 1px solid var(--line); border-radius: 4px }
ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 2rem 0 2.5rem; padding: 0; list-style: none }
li a { display: block; height: 100%; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--card) }
li strong { display: block; color: var(--sea) }
li span { color: var(--soft); font-size: .9rem }
a:hover { border-color: var(--sea) }
a:focus-visible, pre:focus-visible { outline: 3px solid var(--sea); outline-offset: 2px }
section { margin-bottom: 2.25rem }
pre { margin: .8rem 0 0; padding: 1rem 1.1rem; overflow-x: auto; border-radius: 10px; background: var(--box); color: #d8eef1; line-height: 1.6; tab-size: 2 }
footer { padding-top: 1rem; border-top: 1px solid var(--line); font-size: .92rem }
`
