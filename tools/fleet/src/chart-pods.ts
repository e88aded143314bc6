/** What tests ask of rendered objects: their pods, containers and selectors. */
import type { KubeObject } from './chart.ts'

export interface Container {
  readonly name: string
  readonly image: string
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: EnvSource }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities }
  readonly volumeMounts?: readonly { readonly name: string }[]
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
}
type Quantities = Readonly<Record<string, string>>
interface EnvSource {
  readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean }
}
interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number }
  readonly tcpSocket?: unknown
}

export interface PodSpec {
  readonly serviceAccountName?: string
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly { readonly name: string }[]
  readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[]
  readonly hostNetwork?: boolean
}

export interface Pod {
  /** `Deployment/flotilla-gateway` */
  readonly owner: string
  readonly kind: string
  readonly component: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: PodSpec
  /** Volumes that a StatefulSet claims for it. */
  readonly claims: readonly { readonly name: string }[]
}

export const nameOf = (object: KubeObject) => `${object.kind}/${object.metadata.name}`

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec: PodSpec
}

/** Every pod that these objects lead to. */
export function podsOf(objects: readonly KubeObject[]): Pod[] {
  return objects.flatMap(object => {
    const own = object.kind === 'Pod' ? { metadata: object.metadata, spec: object.spec } : object.spec?.['template']
    if (own === undefined || (own as Template).spec === undefined) return []
    const { metadata, spec } = own as Template
    const labels = metadata?.labels ?? {}
    const component = labels['app.kubernetes.io/component'] ?? ''
    const claims = ((object.spec?.['volumeClaimTemplates'] ?? []) as KubeObject[]).map(claim => claim.metadata)
    return [{ owner: nameOf(object), kind: object.kind, component, labels, spec, claims }]
  })
}

/** Whether it runs for as long as the release lives. */
export const isLasting = (pod: Pod) => pod.kind === 'Deployment' || pod.kind === 'StatefulSet'

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values: string[] }[]
}

/** Whether a selector of labels takes them. Knows the operators that the chart uses. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const byLabels = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return (
    byLabels &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`unable to match ${operator}`)
      return values.includes(labels[key] ?? '')
    })
  )
}

/** Every selector of pods that an object holds, wherever it stands. */
export function selectorsOf(object: KubeObject): Selector[] {
  const spec = object.spec ?? {}
  if (object.kind === 'Service') return [{ matchLabels: spec['selector'] as Record<string, string> }]
  if (object.kind === 'NetworkPolicy') {
    const rules = [...((spec['ingress'] ?? []) as Rule[]), ...((spec['egress'] ?? []) as Rule[])]
    const peers = rules.flatMap(rule => [...(rule.from ?? []), ...(rule.to ?? [])])
    // Selectors of other namespaces are no business of this release.
    const here = peers.filter(peer => peer.namespaceSelector === undefined).flatMap(peer => peer.podSelector ?? [])
    return [spec['podSelector'] as Selector, ...here]
  }
  const selected = ['Deployment', 'StatefulSet', 'PodDisruptionBudget', 'PodMonitor'].includes(object.kind)
  return selected ? [spec['selector'] as Selector] : []
}
interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
}
interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
}
