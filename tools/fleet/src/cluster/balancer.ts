/**
 * What a cloud does for Services of the type LoadBalancer: gives them an address and lets kube-proxy know. Addresses are
 * given back by nobody: a test ends before they run out.
 */
import type { KubeApi, KubeObject } from './kube-api.ts'
import { addresses } from './network.ts'

interface Service extends KubeObject {
  readonly spec: { readonly type?: string }
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } }
}

const everyMs = 500

/** @returns how to end it */
export function startBalancer(api: KubeApi): () => void {
  let given = 0
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    for (const service of await api.list<Service>('/api/v1/services')) {
      if (service.spec.type !== 'LoadBalancer' || service.status.loadBalancer?.ingress !== undefined) continue
      const { namespace, name } = service.metadata
      given += 1
      const status = { loadBalancer: { ingress: [{ ip: addresses.balancer(given), ipMode: 'VIP' }] } }
      await api.patch(`/api/v1/namespaces/${namespace}/services/${name}/status`, { status })
    }
  }
  const again = () => {
    if (ended) return
    timer = setTimeout(() => {
      // The API may be away for a moment, as any server.
      look()
        .catch(() => {})
        .finally(again)
    }, everyMs)
    timer.unref()
  }
  again()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
