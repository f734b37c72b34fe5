import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from '../config/config.ts'
import type { ListenOptions } from '../system/network.ts'
import { virtualSystem } from '../system/virtual.ts'
import { Logger } from './log.ts'
import { Server } from './server.ts'

test('connections accepted after CONFIG SET tcp-keepalive have that interval', async () => {
  const { system } = virtualSystem()
  let opened: ListenOptions | undefined
  const network: typeof system.network = {
    ...system.network,
    listen(options, _receiver, done) {
      opened = options
      done({ address: '0.0.0.0:6379', port: 6379, close() {} })
    },
  }
  const config = new Config(system.disk)
  const server = new Server(config, { ...system, network }, new Logger(system, config))
  await server.listen()
  assert.equal(opened?.keepaliveSeconds, 300)
  assert.equal(config.set([['tcp-keepalive', '50']]), null)
  assert.equal(opened?.keepaliveSeconds, 50)
  await server.shutdown(['nosave', 'now'])
})
