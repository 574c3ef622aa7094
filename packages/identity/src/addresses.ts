/** Owns how network addresses are counted: an IPv6 address by its /64, which one household or machine holds whole. */
import { isIPv6, SocketAddress } from 'node:net'

export function addressBucket(address: string): string {
  if (!isIPv6(address)) return address
  const [bare = ''] = address.split('%')
  // One address has many spellings; this one is the shortest, with an IPv4 address inside it in dots.
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address
  if (canonical.startsWith('::ffff:') && canonical.includes('.')) return canonical.slice('::ffff:'.length)
  const [head = '', tail = ''] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const gap = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return `${[...left, ...gap, ...right].slice(0, 4).join(':')}::/64`
}
