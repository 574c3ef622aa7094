/** Owns the judgement of an IP address: whether it is one of the public network, or of this machine, this network, or a special use. */
import ipaddr from 'ipaddr.js'

/**
 * True for an address that the whole world reaches under the same number. IPv6 addresses that carry an IPv4 address inside are not.
 * @param address as a resolver or the URL parser gives it, without brackets
 * @spec RFC 6890 §2.2
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  // 2000::/3 is all that is given out to the world.
  return parsed.kind() === 'ipv4' || ((parsed.toByteArray()[0] ?? 0) & 0xe0) === 0x20
}
