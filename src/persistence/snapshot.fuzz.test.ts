import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RandomCommands } from '../../test/harness/random-commands.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

const ROUNDS = 2
const COMMANDS_BEFORE = 300
const COMMANDS_DURING = 150

/** A server with random data, some of it large. */
async function started(seed: number, directives: Readonly<Record<string, string>>) {
  const machine = virtualSystem({ seed })
  const server = await MachineServer.start(machine, directives)
  const commands = new RandomCommands(seededRandom(seed))
  for (let i = 0; i < COMMANDS_BEFORE; i++) server.call(...commands.next())
  server.call('select', 0)
  for (const key of ['l1', 'h1', 'e1', 'z1', 's1', 'x1']) server.call('del', key)
  server.call(
    'rpush',
    'l1',
    ...Array.from({ length: 3000 }, (_, i) => `a rather long element of a list, number ${i} or so`),
  )
  server.call('hset', 'h1', ...Array.from({ length: 6000 }, (_, i) => `field ${i}`))
  server.call('sadd', 'e1', ...Array.from({ length: 6000 }, (_, i) => `member ${i}`))
  server.call('zadd', 'z1', ...Array.from({ length: 10000 }, (_, i) => (i % 2 === 0 ? i : `member ${i}`)))
  server.call('set', 's1', 'abcdefgh'.repeat(60000))
  return { machine, server, commands }
}

test('a snapshot is of the moment it began, whatever happens meanwhile', async () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { machine, server, commands } = await started(seed, { 'rdb-key-save-delay': '1000' })
    const digest = server.digest()
    assert.equal(server.call('bgsave'), 'Background saving started')
    for (let i = 0; i < COMMANDS_DURING; i++) {
      server.call(...commands.next())
      machine.advance(commands.below(3))
    }
    machine.advance(3000)
    assert.match(String(server.call('info', 'persistence')), /rdb_last_bgsave_status:ok/)
    const end = server.digest()
    const again = await MachineServer.start(machine)
    assert.equal(again.digest(), digest, `seed ${seed}`)
    // The server itself still works.
    server.call('save')
    assert.equal((await MachineServer.start(machine)).digest(), end, `seed ${seed}`)
  }
})

test('base and changes of a rewritten log make up the dataset', async () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const preamble = seed % 2 === 0 ? 'yes' : 'no'
    const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': preamble, 'rdb-key-save-delay': '1000' }
    const { machine, server, commands } = await started(seed, directives)
    assert.equal(server.call('bgrewriteaof'), 'Background append only file rewriting started')
    for (let i = 0; i < COMMANDS_DURING; i++) {
      server.call(...commands.next())
      machine.advance(commands.below(3))
    }
    machine.advance(3000)
    assert.match(String(server.call('info', 'persistence')), /aof_rewrite_in_progress:0/)
    const digest = server.digest()
    await server.stop()
    const again = await MachineServer.start(machine, directives)
    assert.equal(again.digest(), digest, `seed ${seed}`)
  }
})

test('a snapshot that is given up leaves nothing behind', async () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { machine, server, commands } = await started(seed, { 'rdb-key-save-delay': '1000' })
    for (let round = 0; round < 3; round++) {
      server.call('bgsave')
      for (let i = 0; i < COMMANDS_DURING / 3; i++) {
        server.call(...commands.next())
        machine.advance(commands.below(2))
      }
      server.server.persistence.saver.kill()
      machine.advance(1)
    }
    const digest = server.digest()
    server.call('bgsave')
    machine.advance(3000)
    assert.equal((await MachineServer.start(machine)).digest(), digest, `seed ${seed}`)
    assert.deepEqual(machine.disk.readdir('.'), ['dump.rdb'])
  }
})
