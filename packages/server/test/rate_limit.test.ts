import { describe, expect, test } from 'vitest'
import { openBuckets } from '../src/rate_limit.ts'

const start = 1_700_000_000_000

describe('a bucket of calls', () => {
  test('is full at first, and empty after as many calls as fit into it', () => {
    const buckets = openBuckets(3)
    const taken = [1, 2, 3, 4].map(() => buckets.take('ada', start))
    expect(taken.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
    expect(taken.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0])
    expect(taken.map(({ limit }) => limit)).toEqual([3, 3, 3, 3])
  })

  test('fills up evenly, and never beyond its size', () => {
    const buckets = openBuckets(60)
    for (let call = 0; call < 60; call++) buckets.take('ada', start)
    expect(buckets.take('ada', start)).toMatchObject({ allowed: false, next_at: start + 1000 })
    expect(buckets.take('ada', start + 999).allowed).toBe(false)
    expect(buckets.take('ada', start + 1000)).toMatchObject({ allowed: true, remaining: 0 })
    expect(buckets.take('ada', start + 1000).allowed).toBe(false)
    expect(buckets.take('ada', start + 86_400_000)).toMatchObject({ allowed: true, remaining: 59 })
  })

  test('tells when it will be full again', () => {
    const buckets = openBuckets(60)
    expect(buckets.take('ada', start).resets_at).toBe(start + 1000)
    expect(buckets.take('ada', start).resets_at).toBe(start + 2000)
  })

  test('is its owner’s alone', () => {
    const buckets = openBuckets(1)
    expect(buckets.take('ada', start).allowed).toBe(true)
    expect(buckets.take('ada', start).allowed).toBe(false)
    expect(buckets.take('grace', start).allowed).toBe(true)
  })

  test('a clock that is set back neither fills it nor locks it up', () => {
    const buckets = openBuckets(2)
    buckets.take('ada', start)
    expect(buckets.take('ada', start - 3_600_000)).toMatchObject({ allowed: true, remaining: 0 })
    expect(buckets.take('ada', start - 3_600_000).allowed).toBe(false)
    expect(buckets.take('ada', start - 3_570_000).allowed).toBe(true)
  })

  test('of more callers than are remembered, the oldest is forgotten', () => {
    const buckets = openBuckets(1, 2)
    for (const caller of ['ada', 'grace', 'alan']) buckets.take(caller, start)
    expect(buckets.take('alan', start).allowed).toBe(false)
    expect(buckets.take('grace', start).allowed).toBe(false)
    expect(buckets.take('ada', start).allowed).toBe(true)
  })
})
