import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAddress } from './address.ts'

test('an address is told from a name', () => {
  for (const address of ['127.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', '::ffff:1.2.3.4'])
    assert.ok(isAddress(address), address)
  for (const name of ['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.x', 'a:name', '1..2.3'])
    assert.ok(!isAddress(name), name)
})
