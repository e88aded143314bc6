/** The sign-in providers of this deployment. None of them is asked anything before somebody wants to go there. */
import { Refusal } from '@flotilla/protocol'
import type { Logger } from '@flotilla/service'
import type { Provider } from './provider.ts'
import { createGitHubProvider } from './provider-github.ts'
import { createOpenIdProvider } from './provider-openid.ts'
import type { ProviderSettings } from './provider-settings.ts'

export interface Providers {
  list(): readonly { readonly name: string; readonly title: string }[]
  /** @throws Refusal provider_unknown */
  get(name: string): Provider
}

export interface ProvidersOptions {
  readonly publicUrl: string | undefined
  readonly providers: readonly ProviderSettings[]
  readonly providerMsMax: number
  readonly logger: Logger
  readonly clockSkewMs: () => number
}

/** The URL below which the browser speaks with this API about providers. */
export const providersUrl = (publicUrl: string) => `${publicUrl}/v1/providers`

export function createProviders(options: ProvidersOptions): Providers {
  const { publicUrl, logger, clockSkewMs, providerMsMax: msMax } = options
  const byName = new Map<string, Provider>()
  for (const settings of publicUrl === undefined ? [] : options.providers) {
    const callbackUrl = `${providersUrl(publicUrl!)}/${settings.name}/callback`
    const parts = { callbackUrl, msMax, logger, clockSkewMs }
    const provider =
      settings.kind === 'github' ? createGitHubProvider(settings, parts) : createOpenIdProvider(settings, parts)
    byName.set(settings.name, provider)
  }
  return {
    list: () => [...byName.values()].map(({ name, title }) => ({ name, title })),
    get(name) {
      const provider = byName.get(name)
      if (provider === undefined) throw new Refusal('provider_unknown')
      return provider
    },
  }
}
