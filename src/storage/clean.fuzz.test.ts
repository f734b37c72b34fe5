// What is on disk beside a value in memory is that value, whatever commands ran.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RandomCommands } from '../../test/harness/random-commands.ts'
import { valueDigest } from '../keyspace/digest.ts'
import type { Ref } from '../memory/arena.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

const RUNS = 4
const COMMANDS = 1500
const READS = 'DUMP k,DEBUG DIGEST-VALUE k,OBJECT ENCODING k,GETRANGE k 0 3,LRANGE k 0 -1,HGETALL k,SMEMBERS k,ZCARD k,\
ZRANGE k 0 -1,XRANGE k - +,XINFO STREAM k,PFCOUNT k,SORT k,MEMORY USAGE k'.split(',')

function checkClean(server: MachineServer, what: string): number {
  const { keyspace } = server.server.engine
  const { entries } = keyspace
  let clean = 0
  const visit = (entry: Ref): void => {
    if (entries.isCold(entry) || !entries.hasPlace(entry)) return
    clean++
    const stored = entries.cold!.borrow(entry)
    assert.equal(valueDigest(keyspace, stored), valueDigest(keyspace, entry), what)
    assert.equal(entries.encodingOf(stored), entries.encodingOf(entry), what)
    entries.freeEntry(stored)
  }
  for (const db of keyspace.databases) {
    let cursor = 0
    do cursor = db.scan(cursor, visit)
    while (cursor !== 0)
  }
  return clean
}

for (let seed = 1; seed <= RUNS; seed++)
  test(`the value on disk is the one in memory until that changes: seed ${seed}`, async () => {
    const random = seededRandom(seed)
    const server = await MachineServer.start(virtualSystem({ seed }), {
      storage: 'disk',
      'storage-memory': '1',
      'storage-segment-size': '4096',
    })
    const commands = new RandomCommands(random, 8, 2, 300)
    let clean = 0
    for (let i = 0; i < COMMANDS; i++) {
      // Values come back, and stay for a while.
      if (i % 100 === 0) server.call('config', 'set', 'storage-memory', i % 200 === 0 ? '1' : '1gb')
      const name = server.call('randomkey')
      const reads = READS[random.u32() % READS.length].split(' ').map(word => (word === 'k' ? String(name) : word))
      const command = name === null || random.u32() % 3 === 0 ? commands.next() : reads
      server.send(0, command)
      server.machine.advance(random.u32() % 4 === 0 ? 120 : 2)
      server.take(0)
      if (random.u32() % 4 === 0) clean += checkClean(server, `seed ${seed}, after ${command.join(' ')}`)
    }
    assert.ok(clean > 200, String(clean))
  })
