/** How one registers here: whom the deployment takes, and what it asks for. */
import { Refusal } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { createWork } from '../sign-in/registration-check.ts'
import { serve } from '../http/serve.ts'

export function registrationRoutes(app: Api, deps: RouteDeps): void {
  const { chat, settings } = deps
  serve(app, deps, rest.registration, {
    getRegistrationRules: async () => {
      const { registration: mode, registrationDomains: domains } = chat.settings
      const { kind: check, captcha } = settings.registrationCheck
      return {
        mode,
        ...(mode === 'domain' ? { domains } : {}),
        check,
        ...(check === 'captcha' && captcha !== undefined ? { captchaSiteKey: captcha.siteKey } : {}),
      }
    },

    createProofOfWork: async _request => {
      if (settings.registrationCheck.kind !== 'work') throw new Refusal('route_unknown', 'no proof of work is required')
      return createWork(deps)
    },
  })
}
