// Random commands on a module's type and on a plain model of it, through dumps, copies, saves, rewrites and restarts;
// and hostile bytes where a value should be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Bytes } from '../../test/harness/resp.ts'
import { tallyModule } from '../../test/harness/tally-module.ts'
import { Crc64 } from '../lib/crc64.ts'
import type { Random } from '../system/system.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

type Model = Map<string, Map<string, number>>

const KEYS = 6
const STEPS = 400
const CHECKSUM_BYTES = 8

class Play {
  readonly model: Model = new Map()
  server: MachineServer
  private readonly random: Random
  private readonly directives: Readonly<Record<string, string>>

  constructor(server: MachineServer, random: Random, directives: Readonly<Record<string, string>>) {
    this.server = server
    this.random = random
    this.directives = directives
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  private key(): string {
    return `k${this.below(KEYS)}`
  }

  async step(): Promise<void> {
    const { server, model } = this
    const [key, other] = [this.key(), this.key()]
    const value = model.get(key)
    const kind = this.below(100)
    if (kind < 60) {
      const members = Array.from({ length: 1 + this.below(kind === 0 ? 2000 : 4) }, () => `m${this.below(500)}`)
      const tally = value ?? new Map<string, number>()
      for (const member of members) tally.set(member, (tally.get(member) ?? 0) + 1)
      model.set(key, tally)
      server.call('tally.add', key, ...members)
    } else if (kind < 70) {
      assert.equal(server.call('tally.clear', key), model.delete(key) ? 1 : 0)
    } else if (kind < 80) {
      if (value !== undefined && key !== other) model.set(other, new Map(value))
      if (key !== other) assert.equal(server.call('copy', key, other, 'replace'), value === undefined ? 0 : 1)
    } else if (kind < 90) {
      const payload = server.call('dump', key)
      assert.equal(payload === null, value === undefined)
      if (value === undefined) return
      server.call('restore', other, 0, latin1Bytes(String(payload)), 'replace')
      model.set(other, new Map(value))
    } else if (kind < 94) server.call(['bgsave', 'bgrewriteaof'][this.below(2)])
    else if (kind < 98) server.machine.advance(this.below(500))
    else if (kind === 98 && value !== undefined) {
      server.call('tally.set', key, 'm1', 7)
      value.set('m1', 7)
    } else if (kind === 99) await this.restart()
  }

  private async restart(): Promise<void> {
    const { machine } = this.server
    await this.server.stop(['now'])
    this.server = await MachineServer.start(machine, this.directives, { modules: [{ module: tallyModule() }] })
  }

  check(): void {
    const { server, model } = this
    assert.equal(server.call('dbsize'), model.size)
    for (const [key, tally] of model)
      for (const [member, count] of tally)
        assert.equal(server.call('tally.get', key, member), count, `${key} ${member}`)
  }
}

const POLICIES: readonly Readonly<Record<string, string>>[] = [
  { appendonly: 'no', save: '3600 1' },
  { appendonly: 'yes', appendfsync: 'always' },
  { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' },
  { appendonly: 'yes', storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '4096' },
]

for (const [seed, directives] of POLICIES.entries()) {
  test(`a module’s type is what its plain model is: ${Object.values(directives).join(' ')}`, async () => {
    const machine = virtualSystem({ seed })
    const server = await MachineServer.start(machine, directives, { modules: [{ module: tallyModule() }] })
    const play = new Play(server, seededRandom(seed), directives)
    for (let i = 0; i < STEPS; i++) await play.step()
    play.check()
  })
}

test('hostile bytes of a value are refused or taken, and never more', async () => {
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module: tallyModule() }] })
  server.call('tally.add', 'k', 'a', 'b', 'c', 'member number four')
  const good = latin1Bytes(String(server.call('dump', 'k')))
  const random = seededRandom(5)
  let refused = 0
  for (let i = 0; i < 3000; i++) {
    const bad = good.slice()
    for (let left = 1 + (random.u32() % 3); left > 0; left--)
      bad[random.u32() % (bad.length - CHECKSUM_BYTES - 2)] = random.u32()
    new Crc64()
      .reset()
      .update(bad, 0, bad.length - CHECKSUM_BYTES)
      .writeTo(bad, bad.length - CHECKSUM_BYTES)
    if (server.call('restore', 'r', 0, bad, 'replace') !== 'OK') refused++
  }
  assert.ok(refused > 1000, String(refused))
  assert.equal(server.call('ping'), 'PONG')
  assert.equal(server.call('tally.get', 'k', 'a'), 1)
  assert.match(String(server.call('info', 'errorstats')), /^(?!.*internal)/)
})
