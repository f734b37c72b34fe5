import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryFigures } from '../../../engine/ports/host.ts'
import { diagnosis } from './doctor.ts'

const MIB = 1 << 20
const healthy = {
  usedBytes: 100 * MIB,
  peakBytes: 110 * MIB,
  rssBytes: 120 * MIB,
  allocatedBytes: 100 * MIB,
  activeBytes: 105 * MIB,
  residentBytes: 110 * MIB,
  clientsNormalBytes: 0,
  clientsReplicaBytes: 0,
  scriptBytes: 0,
} as MemoryFigures

/** The first words of what MEMORY DOCTOR finds. */
function found(change: Partial<MemoryFigures>): string[] {
  return [...diagnosis({ ...healthy, ...change }, 1).matchAll(/^ \* ([\w ]+):/gm)].map(match => match[1])
}

test('MEMORY DOCTOR names what stands out, and says when nothing does', () => {
  assert.equal(diagnosis(healthy, 1), 'Nothing about the use of memory stands out.\n')
  assert.equal(diagnosis({ ...healthy, usedBytes: MIB }, 1).startsWith('There is too little data'), true)
  assert.deepEqual(found({ peakBytes: 160 * MIB }), ['Peak'])
  assert.deepEqual(found({ rssBytes: 190 * MIB }), ['Resident memory'])
  assert.deepEqual(found({ activeBytes: 120 * MIB, residentBytes: 120 * MIB }), ['Fragmentation'])
  assert.deepEqual(found({ residentBytes: 180 * MIB }), ['Allocator'])
  assert.deepEqual(found({ clientsNormalBytes: MIB, clientsReplicaBytes: 11 * MIB }), ['Clients', 'Replicas'])
  assert.deepEqual(found({ scriptBytes: 11 * MIB }), ['Scripts'])
})
