/** How addresses are counted: an IPv4 address as it is, an IPv6 address by its /64, and the same address always the same way. */
import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressBucket } from '../src/index.ts'

describe('addressBucket', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:FFFF:C000:0201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:0DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:5::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::5:6:7:8:9', '0:0:0:5::/64'],
    ['::5:6:7:192.0.2.1', '0:0:0:5::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::1%25eth0', 'fe80:0:0:0::/64'],
    ['fe80::abcd:1%lo', 'fe80:0:0:0::/64'],
    ['', ''],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, bucket) => {
    expect(addressBucket(address)).toBe(bucket)
  })

  /** The eight groups of an address, written in every way there is. */
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 0xffff }))
  const groups = fc.array(group, { minLength: 8, maxLength: 8 })
  function* spellings(list: readonly number[], upper: boolean): Generator<string> {
    const hex = list.map((one) => (upper ? one.toString(16).toUpperCase().padStart(4, '0') : one.toString(16)))
    yield hex.join(':')
    const [high = 0, low = 0] = list.slice(6)
    yield `${hex.slice(0, 6).join(':')}:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
    for (let from = 0; from < 8; from++)
      for (let to = from + 1; to <= 8 && list.slice(from, to).every((one) => one === 0); to++)
        yield `${hex.slice(0, from).join(':')}::${hex.slice(to).join(':')}`
  }

  test('however an address is written, it is the same address', () => {
    fc.assert(
      fc.property(groups, fc.boolean(), fc.constantFrom('', '%eth0'), (list, upper, zone) => {
        const mapped = list.slice(0, 5).every((one) => one === 0) && list[5] === 0xffff
        const [high = 0, low = 0] = list.slice(6)
        const expected = mapped
          ? `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
          : `${list
              .slice(0, 4)
              .map((one) => one.toString(16))
              .join(':')}::/64`
        for (const text of spellings(list, upper)) {
          expect(isIPv6(text)).toBe(true)
          expect([text, addressBucket(text + zone)]).toEqual([text, expected])
        }
      }),
    )
  })

  test('two addresses share a bucket exactly when they share a /64', () => {
    fc.assert(
      fc.property(groups, groups, (a, b) => {
        const same = a.slice(0, 4).join() === b.slice(0, 4).join()
        fc.pre(a[0] !== 0)
        expect(
          addressBucket(a.map((one) => one.toString(16)).join(':')) ===
            addressBucket(b.map((one) => one.toString(16)).join(':')),
        ).toBe(same)
      }),
    )
  })
})
