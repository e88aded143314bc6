/** Where pushes go: the devices of a person. */
import { devices } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function deviceRoutes(app: Api, deps: RouteDeps): void {
  const { chat, settings } = deps
  serve(app, deps, rest.devices, {
    listDevices: async request => ({ devices: await devices.list(chat, request.caller) }),

    registerDevice: async request => devices.register(chat, request.caller, request.body, settings.webPushHosts),

    removeDevice: async request => {
      await devices.remove(chat, request.caller.user, request.params.id)
    },

    getPushKey: async () => (settings.vapidPublicKey === undefined ? {} : { vapidPublicKey: settings.vapidPublicKey }),
  })
}
