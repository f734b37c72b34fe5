import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecimalSum } from './decimal-sum.ts'
import { addLongDoubles, formatLongDouble, parseLongDouble } from './longdouble.ts'
import { Slice } from './slice.ts'

const decimal = new DecimalSum()

function sum(a: string, b: string): string | undefined {
  return decimal.add(Slice.of(a), Slice.of(b)) ? decimal.text.latin1() : undefined
}

test('short decimal numbers are added', () => {
  assert.equal(sum('10.50', '0.1'), '10.6')
  assert.equal(sum('-1.1', '1.1'), '0')
  assert.equal(sum('-0', '-0.0'), '0')
  assert.equal(sum('.5', '+5.'), '5.5')
  assert.equal(sum('-0.0000000000001', '0'), '-0.0000000000001')
  assert.equal(sum('9007199254740990', '1'), '9007199254740991')
})

test('what is no decimal number, too long or too large is left to long doubles', () => {
  for (const other of ['', '.', '-', '1e3', 'inf', '0x1', ' 1', '1.2.3', '1-', '12345678901234567'])
    assert.equal(sum(other, '1'), undefined, other)
  assert.equal(sum('39.5', '0.6'), undefined)
  assert.equal(sum('9007199254740991', '1'), undefined)
  assert.equal(sum('0.00000000000001', '0'), undefined)
})

test('sums are those of long doubles', () => {
  let seed = 1
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % below
  }
  const number = () => {
    const decimals = random(14)
    const text = (random(2) ? random(4000) / 100 : random(1 << 24) / 2 ** 20).toFixed(decimals)
    return random(2) ? text : `-${text}`
  }
  let added = 0
  for (let i = 0; i < 50_000; i++) {
    const [a, b] = [number(), number()]
    const fast = sum(a, b)
    if (fast === undefined) continue
    added++
    const x = parseLongDouble(Slice.of(a))
    const y = parseLongDouble(Slice.of(b))
    const exact = addLongDoubles(x!, y!)
    assert.equal(fast, formatLongDouble(exact!), `${a} + ${b}`)
  }
  assert.ok(added > 20_000, `${added}`)
})
