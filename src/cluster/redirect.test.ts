import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { u32From } from '../../test/harness/random.ts'
import { virtualSystem } from '../system/virtual.ts'

/** A node that serves all slots. */
async function soleNode(): Promise<MachineServer> {
  const node = await MachineServer.start(virtualSystem(), { 'cluster-enabled': 'yes', port: '7000' })
  assert.equal(node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'), 'OK')
  for (let i = 0; i < 100 && !String(node.call('CLUSTER', 'INFO')).includes('state:ok'); i++) node.machine.advance(100)
  return node
}

test('the slot that the gate has found is used for the key of that command, and for no other', async () => {
  const [node, plain] = [await soleNode(), await MachineServer.start(virtualSystem())]
  const random = u32From(18)
  const key = () => `k${random() % 40}`
  const tagged = () => `{t}${random() % 4}`
  const commands: (() => string[][])[] = [
    () => [['SET', key(), String(random() % 9)]],
    () => [['GET', key()]],
    // Refused before their key is looked up: what was found for it must not serve the next command's.
    () => [
      ['EXPIRE', key(), 'soon'],
      ['DEL', tagged(), tagged()],
    ],
    () => [
      ['SETRANGE', key(), '-1', 'x'],
      ['MGET', tagged(), tagged()],
    ],
    () => [
      ['GETRANGE', key(), 'a', 'b'],
      ['EVAL', "return redis.call('INCR', KEYS[1])", '1', tagged()],
    ],
    () => [['MULTI'], ['SET', key(), '1'], ['APPEND', key(), '2'], ['DISCARD'], ['EXISTS', tagged(), tagged()]],
    () => {
      const one = key()
      return [['MULTI'], ['SETNX', one, '1'], ['GETDEL', one], ['EXEC'], ['UNLINK', tagged(), tagged()]]
    },
    () => [
      ['MSET', tagged(), '1', tagged(), '2'],
      ['SET', key(), 'x', 'XX', 'GET'],
    ],
  ]
  for (let step = 0; step < 3000; step++)
    for (const words of commands[random() % commands.length]())
      assert.deepEqual(node.call(...words), plain.call(...words), words.join(' '))
  const names = node.call('KEYS', '*') as string[]
  assert.ok(names.length > 10)
  for (const name of names) {
    const slot = node.call('CLUSTER', 'KEYSLOT', name) as number
    assert.ok((node.call('CLUSTER', 'GETKEYSINSLOT', slot, 100) as string[]).includes(name), name)
  }
})
