import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../system/random.ts'
import { FailureReports } from './failure-reports.ts'

test('reports count for some time after the last one of each node', () => {
  const random = seededRandom(5)
  const reports = new FailureReports()
  const known = new Map<number, number>()
  const validMs = 3000
  // The low 32 bits of the time begin anew meanwhile.
  let nowMs = 2 ** 32 * 400 - 20_000
  for (let i = 0; i < 5000; i++) {
    nowMs += random.u32() % 20
    const reporter = random.u32() % 300
    const kind = random.u32() % 8
    if (kind < 5) {
      assert.equal(reports.add(reporter, nowMs), !known.has(reporter))
      known.set(reporter, nowMs)
    } else if (kind < 7) assert.equal(reports.delete(reporter), known.delete(reporter))
    else {
      for (const [one, atMs] of known) if (atMs < nowMs - validMs) known.delete(one)
      assert.equal(reports.countSince(nowMs - validMs, nowMs), known.size)
    }
  }
  assert.equal(reports.countSince(nowMs + 1, nowMs + 1), 0)
})
