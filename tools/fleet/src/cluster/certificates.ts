/** Certificates and kubeconfigs of a cluster, by openssl: two authorities, and a leaf for everybody who takes part. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addresses, nodesMax } from './network.ts'
import { runCommand } from './folders.ts'

const days = '30'

export interface Certificates {
  readonly folder: string
  /** The path of a file: `file('ca.crt')`. */
  file(name: string): string
  kubeconfig(name: string): string
  /** What a kubelet shows to the API server, and the API server to it. */
  addNode(node: string): Promise<void>
}

export async function makeCertificates(folder: string, server: string): Promise<Certificates> {
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]) => runCommand('openssl', args)

  const key = (name: string) =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file(`${name}.key`))

  const authority = async (name: string, subject: string) => {
    await key(name)
    const request = ['-x509', '-new', '-key', file(`${name}.key`), '-subj', `/CN=${subject}`, '-days', days]
    await openssl('req', ...request, '-out', file(`${name}.crt`))
  }
  const leaf = async (name: string, signer: string, subject: string, names: readonly string[] = []) => {
    const extensions = ['extendedKeyUsage=clientAuth,serverAuth']
    if (names.length > 0) extensions.push(`subjectAltName=${names.join(',')}`)
    writeFileSync(file(`${name}.ext`), extensions.join('\n'))
    await key(name)
    await openssl('req', '-new', '-key', file(`${name}.key`), '-subj', subject, '-out', file(`${name}.csr`))
    const by = ['-CA', file(`${signer}.crt`), '-CAkey', file(`${signer}.key`), '-CAcreateserial']
    const what = ['-days', days, '-extfile', file(`${name}.ext`), '-CAserial', file(`${name}.srl`)]
    await openssl('x509', '-req', '-in', file(`${name}.csr`), ...by, ...what, '-out', file(`${name}.crt`))
  }
  const member = async (name: string, subject: string, names: readonly string[] = []) => {
    await leaf(name, 'ca', subject, names)
    writeFileSync(file(`${name}.kubeconfig`), kubeconfig(server, file('ca.crt'), file(name)))
  }

  await Promise.all([authority('ca', 'cluster'), authority('front-proxy-ca', 'front-proxy')])
  await Promise.all([
    leaf('apiserver', 'ca', '/CN=kube-apiserver', [
      ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map(name => `DNS:${name}`),
      ...[addresses.controlPlane, addresses.api, '127.0.0.1'].map(address => `IP:${address}`),
    ]),
    leaf('front-proxy', 'front-proxy-ca', '/CN=front-proxy'),
    leaf('metrics', 'ca', '/CN=custom-metrics', [`IP:${addresses.controlPlane}`, 'DNS:localhost']),
    member('admin', '/O=system:masters/CN=admin'),
    member('controllers', '/CN=system:kube-controller-manager'),
    member('scheduler', '/CN=system:kube-scheduler'),
    member('proxy', '/CN=system:kube-proxy'),
    openssl('genrsa', '-out', file('accounts.key'), '2048').then(() =>
      openssl('rsa', '-in', file('accounts.key'), '-pubout', '-out', file('accounts.pub')),
    ),
  ])
  const nodeAddresses = Array.from({ length: nodesMax }, (_, index) => `IP:${addresses.node(index + 1)}`)
  return {
    folder,
    file,
    kubeconfig: name => file(`${name}.kubeconfig`),
    addNode: node => member(node, `/O=system:nodes/CN=system:node:${node}`, [`DNS:${node}`, ...nodeAddresses]),
  }
}

function kubeconfig(server: string, authority: string, client: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'user', user: { 'client-certificate': `${client}.crt`, 'client-key': `${client}.key` } }],
    contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: 'user' } }],
    'current-context': 'cluster',
  })
}
