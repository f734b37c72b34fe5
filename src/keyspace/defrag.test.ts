// Compaction, seen from outside: how much memory the arena holds after keys have gone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCommand, latin1Text } from '../../test/harness/resp.ts'
import { createServer, virtualSystem } from '../index.ts'

const MIB = 1024 * 1024
const KEYS = 20_040
const VALUE = 'x'.repeat(8000)
const BATCH = 60

async function withKeys(body: (ask: (text: string) => string, advance: (ms: number) => void) => void): Promise<void> {
  const machine = virtualSystem({ seed: 1 })
  const server = await createServer({ system: machine.system })
  const socket = server.connect()
  let got = ''
  socket.onData = bytes => {
    got += latin1Text(bytes)
  }
  const ask = (text: string) => {
    got = ''
    socket.write(encodeCommand(text.split(' ')))
    machine.settle()
    return got
  }
  for (let i = 0; i < KEYS; i += BATCH) ask(`MSET ${keys(i, i + BATCH, 1).join(` ${VALUE} `)} ${VALUE}`)
  body(ask, ms => machine.advance(ms))
  await server.close()
}

function keys(from: number, to: number, step: number): string[] {
  const names: string[] = []
  for (let i = from; i < to; i += step) names.push(`key:${i}`)
  return names
}

function memory(ask: (text: string) => string): { held: number; used: number } {
  const info = ask('INFO memory')
  const field = (name: string) => Number(new RegExp(`^${name}:([0-9]+)`, 'm').exec(info)![1])
  return { held: field('allocator_resident'), used: field('allocator_allocated') }
}

test('memory is given back when keys are deleted here and there, and keys that were moved are found and run out', () =>
  withKeys((ask, advance) => {
    const before = memory(ask)
    for (const key of keys(1, KEYS, 2)) ask(`EXPIRE ${key} 100`)
    // Every second key goes, in two parts: compaction begins when the first part has gone.
    ask(`DEL ${keys(0, KEYS, 6).join(' ')}`)
    ask(`DEL ${keys(2, KEYS, 6).join(' ')}`)
    advance(3000)
    ask(`DEL ${keys(4, KEYS, 6).join(' ')}`)
    advance(10_000)
    const after = memory(ask)
    assert.ok(after.used < before.used * 0.55, `${after.used} of ${before.used} bytes are in use`)
    assert.ok(after.held < after.used * 1.3 + 64 * MIB, `${after.held} bytes are held for ${after.used}`)
    assert.equal(ask('DBSIZE'), `:${KEYS / 2}\r\n`)
    for (let i = 1; i < KEYS; i += 998) assert.equal(ask(`GET key:${i}`), `$8000\r\n${VALUE}\r\n`)
    assert.equal(ask('TTL key:1'), ':87\r\n')
    advance(100_000)
    assert.equal(ask('DBSIZE'), ':0\r\n')
    assert.ok(memory(ask).held <= 64 * MIB)
  }))
