import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryFigures } from '../../../engine/ports/host.ts'
import { diagnosis } from './doctor.ts'

const MIB = 1 << 20
const healthy = {
  usedBytes: 100 * MIB,
  peakBytes: 110 * MIB,
  rssBytes: 200 * MIB,
  baseBytes: 85 * MIB,
  allocatedBytes: 100 * MIB,
  activeBytes: 105 * MIB,
  residentBytes: 110 * MIB,
  clientsNormalBytes: 0,
  clientsReplicaBytes: 0,
} as MemoryFigures

function diagnosisOf(change: Partial<MemoryFigures>, cachedScripts = 0): string {
  return diagnosis({ m: { ...healthy, ...change }, clients: 1, cachedScripts })
}

/** The first words of each finding of MEMORY DOCTOR. */
function found(change: Partial<MemoryFigures>, cachedScripts = 0): string[] {
  return [...diagnosisOf(change, cachedScripts).matchAll(/^ \* ([\w ]+):/gm)].map(match => match[1])
}

test('MEMORY DOCTOR names what stands out, and says when nothing does', () => {
  assert.equal(diagnosisOf({}), 'Nothing about the use of memory stands out.\n')
  assert.equal(diagnosisOf({ usedBytes: MIB }).startsWith('There is too little data'), true)
  assert.deepEqual(found({ peakBytes: 160 * MIB }), ['Peak'])
  assert.deepEqual(found({ rssBytes: 300 * MIB }), ['Resident memory', 'Process'])
  assert.deepEqual(found({ rssBytes: 300 * MIB, baseBytes: 190 * MIB }), [])
  assert.deepEqual(found({ activeBytes: 120 * MIB, residentBytes: 120 * MIB }), ['Fragmentation'])
  assert.deepEqual(found({ residentBytes: 180 * MIB }), ['Allocator'])
  assert.deepEqual(found({ clientsNormalBytes: MIB, clientsReplicaBytes: 11 * MIB }), ['Clients', 'Replicas'])
  assert.deepEqual(found({}, 1001), ['Scripts'])
})

test('what is wasted counts from ten megabytes on, whatever its share', () => {
  const small = { usedBytes: 6 * MIB, peakBytes: 6 * MIB, rssBytes: 95 * MIB, allocatedBytes: 6 * MIB }
  assert.deepEqual(found({ ...small, activeBytes: 10 * MIB, residentBytes: 10 * MIB }), [])
})
