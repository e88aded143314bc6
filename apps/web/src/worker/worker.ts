/**
 * The service worker: shows pushes while no page is open, and leads to where they are from. It keeps nothing and answers no
 * request. Built as a script of its own, without imports; whatever it takes in is written into it.
 */
import { isSessionKept } from '@flotilla/sdk/kept-session'
import { sessionDatabase } from '../session-database.ts'
import { readPush } from './pushed.ts'

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Pushed extends Waiting {
  readonly data: { text(): string } | null
}
interface Pressed extends Waiting {
  readonly notification: Notification
}
interface OpenPage {
  readonly visibilityState: DocumentVisibilityState
  focus(): Promise<unknown>
  postMessage(message: object): void
}
/** What is here, of what types for pages do not know. */
interface Worker {
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    claim(): Promise<void>
    matchAll(which: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly OpenPage[]>
    openWindow(path: string): Promise<unknown>
  }
  skipWaiting(): Promise<void>
  addEventListener(name: 'install' | 'activate', listener: (event: Waiting) => void): void
  addEventListener(name: 'push', listener: (event: Pushed) => void): void
  addEventListener(name: 'notificationclick', listener: (event: Pressed) => void): void
}

const worker = globalThis as unknown as Worker

worker.addEventListener('install', event => event.waitUntil(worker.skipWaiting()))
worker.addEventListener('activate', event => event.waitUntil(worker.clients.claim()))
worker.addEventListener('push', event => event.waitUntil(show(event.data?.text() ?? '')))
worker.addEventListener('notificationclick', event => {
  event.notification.close()
  event.waitUntil(open((event.notification.data as { readonly path: string }).path))
})

async function show(text: string): Promise<void> {
  const { registration } = worker
  // It was under way when the person signed out: it is for nobody, and so is what follows.
  if (!(await isSessionKept({ name: sessionDatabase })))
    return void (await (await registration.pushManager.getSubscription())?.unsubscribe())
  const shown = readPush(text)
  if (shown === undefined) return
  const { title, body, tag, path, badge } = shown
  const options = { body, tag, renotify: true, icon: '/icon.svg', data: { path } }
  await registration.showNotification(title, options)
  await navigator.setAppBadge?.(badge).catch(() => {})
}

async function open(path: string): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ visibilityState }) => visibilityState === 'visible') ?? pages[0]
  if (page === undefined) return void (await worker.clients.openWindow(path))
  page.postMessage({ open: path })
  // Browsers refuse it where nobody has pressed anything.
  await page.focus().catch(() => {})
}
