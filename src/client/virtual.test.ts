// The client and a server on machines of one virtual world: no real socket and no real clock.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import { latin1Text } from '../lib/bytes.ts'
import { Logger } from '../server/log.ts'
import { startServer } from '../server/server.ts'
import type { VirtualMachine } from '../system/virtual.ts'
import { VirtualWorld } from '../system/virtual-world.ts'
import type { CloseReason } from './errors.ts'
import { PrimaryLink } from './primary-link.ts'
import { Remote } from './remote.ts'
import { parseServerUrl } from './url.ts'

const CONFIG = `
save ""
protected-mode no
repl-diskless-sync-delay 0
repl-ping-replica-period 1
loglevel nothing`
const URL = parseServerUrl('redis://primary')!

/** A primary at port 6379 of one machine, and another machine. */
async function world(seed: number) {
  const made = new VirtualWorld({ seed })
  const primary = made.machine('primary')
  const config = new Config(primary.disk)
  loadText(config, CONFIG)
  await made.until(startServer(config, primary.system, new Logger(primary.system, config), {}))
  return { made, primary, replica: made.machine('replica') }
}

/** A link from that machine, and what it got. */
function follow(machine: VirtualMachine, from?: { id: string; offset: number }) {
  const got = { rdb: 0, stream: '', reason: undefined as CloseReason | undefined }
  const link = new PrimaryLink(
    machine.system,
    { address: URL.address, silenceMs: 5000, from },
    {
      opened() {},
      rdbBegins() {},
      rdb: bytes => {
        got.rdb += bytes.length
      },
      rdbEnds: one => one.loaded(),
      stream: bytes => {
        got.stream += latin1Text(bytes)
      },
      closed: reason => {
        got.reason = reason
      },
    },
  )
  return { link, got }
}

for (const seed of [1, 2, 3])
  test(`a link follows a primary, times out in a partition, and resynchronises partially: seed ${seed}`, async () => {
    const { made, primary, replica } = await world(seed)
    const remote = await made.until(Remote.open(URL, replica.system))
    for (let i = 0; i < 20; i++) await made.until(remote.call('SET', `key:${i}`, 'x'.repeat(1000)))
    const { link, got } = follow(replica)
    await made.run(10_000, () => link.state === 'stream')
    assert.ok(got.rdb > 200)
    await made.until(remote.call('INCR', 'n'))
    await made.run(3000)
    assert.match(got.stream, /INCR\r\n\$1\r\nn\r\n/)
    made.network.partition([replica.host], [primary.host])
    await made.run(20_000, () => got.reason !== undefined)
    assert.equal(got.reason?.kind, 'timeout')
    made.network.heal()
    const again = follow(replica, { id: link.id, offset: link.offset })
    await made.run(10_000, () => again.link.state === 'stream')
    assert.ok(again.link.continued)
    assert.equal(again.got.rdb, 0)
    again.link.close()
    remote.close()
  })

test('a killed server is a lost connection, a port without a listener an unreachable one', async () => {
  const { made, primary, replica } = await world(4)
  const { link, got } = follow(replica)
  await made.run(10_000, () => link.state === 'stream')
  primary.kill()
  await made.run(10_000, () => got.reason !== undefined)
  assert.equal(got.reason?.kind, 'lost')
  const after = follow(replica)
  await made.run(10_000, () => after.got.reason !== undefined)
  assert.deepEqual(after.got.reason, { kind: 'unreachable', text: 'Connection refused' })
})
