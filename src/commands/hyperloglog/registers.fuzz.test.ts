// HyperLogLogs: the same bytes alone, between hostile neighbours and under a guard must give the same result.

import { test } from 'node:test'
import { assertReadsOnlyItsSlice, type Read, textsOver } from '../../../test/harness/neighbours.ts'
import { Slice } from '../../lib/slice.ts'
import * as hll from './registers.ts'

const RUNS: { readonly [name: string]: Read } = {
  isHyperLogLog: s => hll.isHyperLogLog(s),
  sparseHolds: s => [0, 254, 255, 16000, 16383].map(register => hll.sparseHolds(s, register, 1)).join(),
  cardinality: s => hll.cardinality(s),
  cachedCardinality: s => hll.cachedCardinality(s),
  mergeInto: s => hll.mergeInto(new Uint8Array(hll.REGISTERS), s),
  raiseRegister(s) {
    const u8 = new Uint8Array(s.len + hll.GROWTH_BYTES)
    for (let i = 0; i < s.len; i++) u8[i] = s.byte(i)
    const copy = new Slice(u8, 0, s.len)
    return `${hll.raiseRegister(copy, 300, 3, 3000)} ${copy.latin1()}`
  },
}

test('a HyperLogLog is read inside its slice only, wherever it is cut off', () => {
  const head = 'HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80'
  for (const text of textsOver('\x00\x3f\x40\x7f\xff\xfe\x80', 3)) assertReadsOnlyItsSlice(RUNS, head + text)
})
