import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { type VirtualMachine, virtualSystem } from '../../system/virtual.ts'
import { runTool } from '../command-line.ts'
import { check } from './check.ts'

const DISK = { storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '65536', appendonly: 'yes' }
const BASE = 'appendonlydir/appendonly.aof.2.base.checkpoint'
const VALUES = 'appendonlydir/appendonly.aof.values'
const KEYS = 500

async function checked(machine: VirtualMachine, ...args: string[]): Promise<{ code: number; out: string }> {
  machine.out = ''
  const code = await runTool(check, args, machine.system)
  return { code, out: machine.out }
}

/** A machine with a checkpoint, whose server has ended. */
async function withCheckpoint(): Promise<VirtualMachine> {
  const server = await MachineServer.start(virtualSystem(), DISK)
  for (let i = 0; i < KEYS; i++) server.call('set', `key ${i}`, `${i} `.repeat(100), 'px', 100000000 + i)
  server.machine.advance(3000)
  server.call('bgrewriteaof')
  server.machine.advance(3000)
  await server.stop(['nosave'])
  return server.machine
}

function overwrite(machine: VirtualMachine, path: string, at: number): void {
  const fd = machine.disk.open(path, 'r+')
  machine.disk.write(fd, Uint8Array.of(255, 0, 255), 0, 3, at)
  machine.disk.close(fd)
}

test('the values that a checkpoint names are looked at', async () => {
  const machine = await withCheckpoint()
  for (const path of ['appendonlydir', BASE]) {
    const { code, out } = await checked(machine, path)
    assert.equal(code, 0, out)
    assert.match(out, /read: 500 keys, 500 with an expiry/)
    assert.match(out, /values on disk: 500 in \d+/)
  }
})

test('a delta over a checkpoint is looked at', async () => {
  const server = await MachineServer.start(await withCheckpoint(), DISK)
  server.call('del', 'key 1')
  server.call('append', 'key 2', 'more')
  server.call('bgrewriteaof')
  server.machine.advance(3000)
  await server.stop(['nosave'])
  const { machine } = server
  const { code, out } = await checked(machine, 'appendonlydir')
  assert.equal(code, 0, out)
  assert.match(out, /appendonly\.aof\.3\.delta\.checkpoint[\s\S]*read: 1 key/)
  for (const name of machine.disk.readdir(VALUES)) overwrite(machine, `${VALUES}/${name}`, 30)
  assert.equal((await checked(machine, 'appendonlydir')).code, 1)
})

for (const [what, damage, lostMax] of [
  ['a damaged record', (m: VirtualMachine) => overwrite(m, `${VALUES}/value-1.log`, 20000), 2],
  ['a file that is missing', (m: VirtualMachine) => m.disk.unlink(`${VALUES}/value-2.log`), KEYS / 2],
] as const)
  test(`keys whose values are not there are left out of what is saved: ${what}`, async () => {
    const machine = await withCheckpoint()
    damage(machine)
    const found = await checked(machine, BASE)
    assert.equal(found.code, 1)
    assert.match(found.out, /FAULT at offset \d+: The value of the key 'key \d+' is not there.*value-\d\.log/)
    const saved = Number(/can be saved: the other (\d+) keys/.exec(found.out)?.[1])
    assert.ok(saved < KEYS && saved >= KEYS - lostMax, String(saved))
    assert.equal((await checked(machine, BASE, '--fix', '--yes')).code, 0)
    assert.equal((await checked(machine, `${BASE}.fixed`)).code, 0)
    machine.disk.unlink(BASE)
    machine.disk.rename(`${BASE}.fixed`, BASE)
    const server = await MachineServer.start(machine, DISK)
    assert.equal(server.call('dbsize'), saved)
    let right = 0
    for (let i = 0; i < KEYS; i++) if (server.call('get', `key ${i}`) === `${i} `.repeat(100)) right++
    assert.equal(right, saved)
  })
