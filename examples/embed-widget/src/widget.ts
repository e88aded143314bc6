/** The script that a page includes: reads its settings from its own tag, and puts the chat at the end of the page. */
import { createGuest } from './guest.ts'
import { styleSheet } from './style.ts'
import { textsOf } from './texts.ts'
import { createView } from './view.ts'

const hostName = 'flotilla-chat'
const script = document.currentScript as HTMLScriptElement

function begin(): void {
  const { api, to } = script.dataset
  if (api === undefined || to === undefined)
    throw new Error('unable to show the chat: its script needs data-api and data-to')
  // A second tag on the same page adds nothing.
  if (document.querySelector(hostName) !== null) return
  const host = document.createElement(hostName)
  const shadow = host.attachShadow({ mode: 'open' })
  shadow.adoptedStyleSheets = [styleSheet()]
  const guest = createGuest(api, to)
  shadow.append(createView(guest, textsOf(document.documentElement.lang)))
  document.body.append(host)
  void guest.begin()
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin)
else begin()
