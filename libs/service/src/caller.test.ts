import { expect, test } from 'vitest'
import { type AddressHeader, callerNetworkOf, createCallerReader, networks } from './caller.ts'

const ours = ['10.0.0.0/8', '::ffff:192.0.2.0/120', 'fd00::/8', 'fe80::/10']

function callerOf(
  said: string | undefined,
  peer: string | undefined = '10.0.0.1',
  header: AddressHeader = 'x-forwarded-for',
) {
  return createCallerReader({ trustedProxies: ours, header })({
    headers: { 'x-forwarded-for': undefined, ...(said === undefined ? {} : { [header]: said }) },
    socket: { remoteAddress: peer },
  })
}

test.each([
  ['an address', '203.0.113.7', '203.0.113.7'],
  ['with a port', '203.0.113.7:50123', '203.0.113.7'],
  ['IPv6', '2001:DB8:0:0::7', '2001:db8::7'],
  ['IPv6 in brackets', '[2001:db8::7]', '2001:db8::7'],
  ['IPv6 in brackets with a port', '[2001:db8::7]:443', '2001:db8::7'],
  ['IPv4 as IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
  ['IPv4 as IPv6, in hexadecimal, with a port', '[::ffff:cb00:7107]:443', '203.0.113.7'],
  ['IPv6 with a zone', '2001:db8::7%eth0', '2001:db8::7'],
  ['IPv6 in brackets with a zone', '[2001:db8::7%25eth0]:1', '2001:db8::7'],
  ['through our own proxies', '198.51.100.4, 203.0.113.7:1, 10.1.2.3:2, [fd00::1]:3, ::ffff:10.9.9.9', '203.0.113.7'],
  ['ours by an IPv4 network that was written as IPv6', '203.0.113.7, 192.0.2.9', '203.0.113.7'],
  ['empty elements', '203.0.113.7, ,\t,', '203.0.113.7'],
  ['nothing but proxies', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
  ['nobody', '', '10.0.0.1'],
  ['unknown', '203.0.113.7, unknown', '10.0.0.1'],
  ['a hidden name', '203.0.113.7, _secret', '10.0.0.1'],
  ['unknown behind a proxy of ours', 'unknown, 10.1.2.3', '10.1.2.3'],
  ['markup', '<script>alert(1)</script>', '10.0.0.1'],
  ['a name', 'localhost', '10.0.0.1'],
  ['an octal', '010.0.0.1, 0177.0.0.1', '10.0.0.1'],
  ['short forms of IPv4', '1', '10.0.0.1'],
  ['too large', '203.0.113.256', '10.0.0.1'],
  ['a port that is none', '203.0.113.7:x', '10.0.0.1'],
  ['an open bracket', '[2001:db8::7', '10.0.0.1'],
  ['IPv4 in brackets', '[203.0.113.7]', '10.0.0.1'],
  ['two colons too many', '1::2::3', '10.0.0.1'],
  ['a claim before the address', '10.0.0.9, 8.8.8.8, 203.0.113.7', '203.0.113.7'],
])('X-Forwarded-For from a proxy: %s', (_what, said, address) => {
  expect(callerOf(said)).toEqual({ address, isProxied: true })
})

test.each([
  ['unquoted', 'for=203.0.113.7', '203.0.113.7'],
  ['with a port, quoted', 'for="203.0.113.7:4711";proto=https;by=10.0.0.1', '203.0.113.7'],
  ['IPv6', 'Host="a,b;for=8.8.8.8"; FOR="[2001:db8::7]:4711"', '2001:db8::7'],
  ['with a hidden port', 'for="203.0.113.7:_x"', '203.0.113.7'],
  ['escaped', String.raw`for="203\.0.113.7"`, '203.0.113.7'],
  ['through our own proxies', 'for=8.8.8.8, for=203.0.113.7, for="[fd00::1]";proto=http,for=10.1.1.1', '203.0.113.7'],
  ['empty elements', 'for=203.0.113.7, ,', '203.0.113.7'],
  ['unknown', 'for=203.0.113.7, for=unknown', '10.0.0.1'],
  ['a hidden name', 'for=203.0.113.7, for="_gazonk"', '10.0.0.1'],
  ['for nobody', 'for=203.0.113.7, by=10.2.2.2', '10.0.0.1'],
  ['for two', 'for=203.0.113.7;for=8.8.8.8', '10.0.0.1'],
  ['a quotation that the caller left open', 'for="8.8.8.8, for=203.0.113.7', '203.0.113.7'],
  ['a quotation around what follows', 'for="x, for=203.0.113.7, for="10.1.1.1"', '203.0.113.7'],
  ['no pairs', '203.0.113.7', '10.0.0.1'],
  ['markup', '<for=1.2.3.4>', '10.0.0.1'],
])('Forwarded from a proxy: %s', (_what, said, address) => {
  expect(callerOf(said, '10.0.0.1', 'forwarded')).toEqual({ address, isProxied: true })
})

test('whoever is no proxy is who they are, whatever they say; only the header that is asked for counts', () => {
  expect(callerOf('203.0.113.7', '198.51.100.1')).toEqual({ address: '198.51.100.1', isProxied: false })
  expect(callerOf('203.0.113.7', '::ffff:198.51.100.1').address).toBe('198.51.100.1')
  expect(callerOf('203.0.113.7', '::ffff:10.0.0.1').address).toBe('203.0.113.7')
  expect(callerOf('203.0.113.7', 'fe80::1%eth0').address).toBe('203.0.113.7')
  expect(callerOf('203.0.113.7', undefined)).toEqual({ address: '203.0.113.7', isProxied: true })
  const reader = createCallerReader({ trustedProxies: ours, header: 'forwarded' })
  const headers = { 'x-forwarded-for': '8.8.8.8', forwarded: ['for=8.8.4.4', 'for=203.0.113.7'] }
  expect(reader({ headers, socket: { remoteAddress: '10.0.0.1' } }).address).toBe('203.0.113.7')
  // A Unix socket has no address.
  expect(reader({ headers, socket: {} })).toEqual({ address: '', isProxied: false })
})

test('a network of 64 bits is one caller, and so is an address of IPv4 however it is written', () => {
  const one = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:0DB8::1:5:0:0:3']
  expect(new Set(one.map(callerNetworkOf)).size).toBe(1)
  expect(callerNetworkOf('2001:db8:0:2::1')).not.toBe(callerNetworkOf('2001:db8:0:1::1'))
  expect(callerNetworkOf('::ffff:203.0.113.7')).toBe('203.0.113.7')
})

test('what is no network, or every address, is refused with the rule', () => {
  const { parse } = networks('Proxies.')
  expect(parse('10.0.0.0/8, ::1,fd00::/8, 192.0.2.1')).toEqual(['10.0.0.0/8', '::1', 'fd00::/8', '192.0.2.1'])
  for (const wrong of [
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.1:80',
    '[::1]',
    '::1/129',
    '10/8',
    '10.0.0.0/',
    'fe80::1%eth0',
  ])
    expect(() => parse(wrong), wrong).toThrow('must be addresses or networks')
  for (const all of ['0.0.0.0/0', '::/0', '::ffff:0.0.0.0/96'])
    expect(() => parse(all), all).toThrow('must not hold every address')
})
