/** Ends pushes in this browser, as at a sign-out: the session that they were for has taken its device with it on the server. */
import { chooseNotices, noticeChoices } from './choices.ts'

export const isInstalled = (): boolean => matchMedia('(display-mode: standalone)').matches

export async function forgetPush(): Promise<void> {
  if (noticeChoices.get().push) chooseNotices({ push: false })
  const registration = await (navigator as Partial<Navigator>).serviceWorker?.getRegistration()
  if (registration === undefined) return
  for (const notification of await registration.getNotifications()) notification.close()
  await (await registration.pushManager?.getSubscription())?.unsubscribe()
  if (!isInstalled()) await registration.unregister()
}
