/**
 * Pushes to this browser: it subscribes with the server's key, and its session is told where the pushes go. The worker that
 * shows them (worker/worker.ts) is registered with that, or where the page was installed, and not before.
 */
import type { Client } from '@flotilla/sdk'
import { deviceName } from '../auth/device-name.ts'
import { isOwnPath } from '../app/address.ts'
import { goTo } from '../app/navigation.tsx'
import { chooseNotices, noticeChoices } from './choices.ts'
import { forgetPush, isInstalled } from './forget-push.ts'

/** Why a browser cannot be pushed to. */
export type NoPush = 'unsupported' | 'unconfigured' | 'denied'

const workerUrl = '/worker.js'

interface ScriptUrls {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

/** The one script that the page's policy lets anybody name, under the one name that it knows. */
let policy: Pick<ReturnType<ScriptUrls['createPolicy']>, 'createScriptURL'> | undefined
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: ScriptUrls }
  if (trustedTypes === undefined) return url
  policy ??= trustedTypes.createPolicy('flotilla-worker', {
    createScriptURL(asked) {
      if (asked === workerUrl) return asked
      throw new TypeError(`unable to load ${asked}: it is not the worker`)
    },
  })
  return policy.createScriptURL(url)
}

export const isPushSupported = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

async function registerWorker(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(trusted(workerUrl), { scope: '/' })
  return navigator.serviceWorker.ready
}

/** The person wants it. Asks them for what the browser wants to be asked. @returns why it cannot be, if so */
export async function startPush(client: Client): Promise<NoPush | undefined> {
  if (!isPushSupported()) return 'unsupported'
  // First, while the browser still takes it for what the person has just pressed.
  if ((await Notification.requestPermission()) !== 'granted') return 'denied'
  const { vapidPublicKey } = await client.rest.devices.getPushKey()
  if (vapidPublicKey === undefined) return 'unconfigured'
  await subscribe(client, vapidPublicKey)
  chooseNotices({ push: true })
  return undefined
}

/** The page opens: where pushes go may have changed. An installed page has its worker in any case. */
export async function renewPush(client: Client): Promise<void> {
  if (!isPushSupported()) return
  if (!noticeChoices.get().push) {
    if (isInstalled()) await registerWorker()
    return
  }
  const { vapidPublicKey } = await client.rest.devices.getPushKey()
  if (vapidPublicKey === undefined || Notification.permission !== 'granted') return stopPush(client)
  await subscribe(client, vapidPublicKey)
}

/** Nothing is pushed here any more. */
export async function stopPush(client: Client): Promise<void> {
  const { devices } = await client.rest.devices.list()
  const own = devices.filter(({ current, provider }) => current && provider === 'webpush')
  await Promise.all(own.map(({ id }) => client.rest.devices.remove(id)))
  await forgetPush()
}

async function subscribe(client: Client, vapidPublicKey: string): Promise<void> {
  const { pushManager } = await registerWorker()
  const applicationServerKey = bytesOf(vapidPublicKey)
  const before = await pushManager.getSubscription()
  // One that was made with another key of the server's is of no use.
  const isOurs = isSame(before?.options.applicationServerKey, applicationServerKey)
  if (before !== null && !isOurs) await before.unsubscribe()
  const options = { userVisibleOnly: true, applicationServerKey }
  const subscription = before !== null && isOurs ? before : await pushManager.subscribe(options)
  await client.rest.devices.register({
    name: deviceName(),
    platform: 'web',
    provider: 'webpush',
    subscription: subscription.toJSON(),
  })
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, one => one.charCodeAt(0))
}

function isSame(one: ArrayBuffer | null | undefined, other: Uint8Array): boolean {
  const bytes = new Uint8Array(one ?? new ArrayBuffer(0))
  return bytes.length === other.length && bytes.every((byte, at) => byte === other[at])
}

/** A push was pressed while the page is open: the worker says where it leads. @returns what ends it */
export function listenToWorker(): () => void {
  const { serviceWorker } = navigator as Partial<Navigator>
  const open = ({ data }: MessageEvent<{ readonly open?: unknown }>) => {
    if (isOwnPath(data?.open)) goTo(data.open)
  }
  serviceWorker?.addEventListener('message', open)
  return () => serviceWorker?.removeEventListener('message', open)
}
