// Hostile clients over TCP: malformed input, clients that do not read, hang, or connect in crowds.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { encodeCommand } from '../harness/resp.ts'
import { Frames } from './frames.ts'
import { Bystander, Victim } from './victim.ts'

const bytesOf = (text: string) => Uint8Array.from(text, letter => letter.charCodeAt(0))

for (const seed of [1, 2, 3])
  test(`damaged frames, seed ${seed}`, () =>
    Victim.treat({ 'proto-max-bulk-len': '1mb' }, async victim => {
      const frames = new Frames(seed)
      const bystander = await Bystander.come(victim)
      const dataBytes = victim.dataBytes
      for (let round = 0; round < 40; round++) {
        const socket = await victim.open()
        socket.resume()
        for (let left = 1 + frames.below(8); left > 0; left--) socket.write(frames.next())
        await bystander.check()
        if (frames.below(2) === 0) socket.end()
        else socket.destroy()
      }
      await victim.until('the clients are gone', () => victim.clients === 1)
      await bystander.ask(['FLUSHALL'], '+OK\r\n')
      await bystander.ask(['SCRIPT', 'FLUSH'], '+OK\r\n')
      await bystander.check()
      assert.equal(victim.outputBytes, 0)
      assert.ok(victim.dataBytes <= dataBytes + 4096, `${victim.dataBytes} of ${dataBytes} bytes`)
    }))

test('a client that never reads is cut off at the limit of its replies, and nobody else waits', () =>
  Victim.treat({ 'client-output-buffer-limit': 'normal 4mb 0 0' }, async victim => {
    const bystander = await Bystander.come(victim)
    await bystander.ask(['SET', 'large', 'x'.repeat(256 * 1024)], '+OK\r\n')
    const socket = await victim.open()
    socket.pause()
    let closed = false
    socket.on('close', () => (closed = true))
    for (let i = 0; i < 400 && !closed; i++) {
      socket.write(encodeCommand(['GET', 'large']))
      if (i % 40 === 0) await bystander.check()
      assert.ok(victim.outputBytes < 5 * 1024 * 1024, `${victim.outputBytes} bytes wait`)
    }
    await victim.until('the client is cut off', () => victim.clients === 1)
    await bystander.check()
    assert.equal(victim.outputBytes, 0)
  }))

test('a client that reads late gets every reply in order', () =>
  Victim.treat({}, async victim => {
    const bystander = await Bystander.come(victim)
    const value = 'y'.repeat(100_000)
    await bystander.ask(['SET', 'large', value], '+OK\r\n')
    const socket = await victim.open()
    socket.pause()
    for (let i = 0; i < 200; i++) {
      socket.write(encodeCommand(['GET', 'large']))
      socket.write(encodeCommand(['ECHO', `${i}`]))
    }
    await victim.until('replies wait', () => victim.outputBytes > 0)
    await bystander.check()
    const got: Uint8Array[] = []
    let gotBytes = 0
    socket.on('data', bytes => {
      got.push(bytes as Uint8Array)
      gotBytes += bytes.length
    })
    socket.resume()
    const expected = Array.from({ length: 200 }, (_, i) => `$100000\r\n${value}\r\n$${`${i}`.length}\r\n${i}\r\n`).join(
      '',
    )
    await victim.until('all of it has come', () => gotBytes >= expected.length)
    assert.ok(Buffer.concat(got).toString('latin1') === expected)
    assert.equal(victim.outputBytes, 0)
    socket.destroy()
    bystander.leave()
  }))

test('half a frame and then nothing', () =>
  Victim.treat({}, async victim => {
    const bystander = await Bystander.come(victim)
    const dataBytes = victim.dataBytes
    const rssBefore = process.memoryUsage.rss()
    const halves = [
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nxxxx',
      '*1000000\r\n$4\r\nMSET\r\n',
      '*2\r\n$4',
      'PIN',
      '\r',
    ]
    for (const half of halves) for (let i = 0; i < 20; i++) (await victim.open()).write(bytesOf(half))
    await victim.until('all are connected', () => victim.clients === 101)
    for (let i = 0; i < 20; i++) await bystander.check()
    const grownBytes = process.memoryUsage.rss() - rssBefore
    assert.ok(grownBytes < 1024 * 1024 * 1024, 'announced bytes take no memory until they come')
    const others = [...victim.server.engine.clients.values()].slice(1)
    const rooms = others.map(client => client.query?.length ?? 0)
    assert.ok(Math.max(...rooms) <= 16 * 1024 * 1024, `room for ${Math.max(...rooms)} bytes`)
    for (const client of others) victim.server.engine.closeClient(client)
    await victim.until('they are gone', () => victim.clients === 1)
    assert.equal(victim.dataBytes, dataBytes)
    bystander.leave()
  }))

test('a crowd that connects and drops', () =>
  Victim.treat({}, async victim => {
    const bystander = await Bystander.come(victim)
    for (let round = 0; round < 10; round++) {
      const crowd = await Promise.all(Array.from({ length: 50 }, () => victim.open()))
      for (const [i, socket] of crowd.entries()) {
        if (i % 3 === 0) socket.write(bytesOf('SUBSCRIBE news\r\n'))
        if (i % 3 === 1) socket.write(bytesOf('WATCH k\r\nMULTI\r\nSET k 1\r\n'))
        if (i % 5 === 0) socket.write(bytesOf('BLPOP nothing 0\r\n'))
      }
      await bystander.check()
      for (const [i, socket] of crowd.entries()) {
        if (i % 2 === 0) socket.destroy()
        else socket.resetAndDestroy()
      }
    }
    await victim.until('the crowd is gone', () => victim.clients === 1)
    await bystander.ask(['PUBLISH', 'news', 'x'], ':0\r\n')
    await bystander.ask(['EXISTS', 'k'], ':0\r\n')
    await bystander.check()
  }))

// The other process connects and resets while this one, the server's, is blocked: accepted connections are already
// gone.
const RESET_TWENTY = `const { connect } = require('node:net')
for (let i = 0; i < 20; i++) {
  const socket = connect({ port: Number(process.argv.at(-1)), host: '127.0.0.1' })
  socket.on('error', () => {}).once('connect', () => socket.resetAndDestroy())
}`

test('connections that are reset before they are accepted', () =>
  Victim.treat({}, async victim => {
    const bystander = await Bystander.come(victim)
    execFileSync(process.execPath, ['-e', RESET_TWENTY, `${victim.port}`])
    await bystander.check()
    await victim.until('they are gone', () => victim.clients === 1)
    await bystander.check()
    assert.equal(victim.outputBytes, 0)
  }))

test('more than maxclients are told so, and room is made when others go', () =>
  Victim.treat({ maxclients: '10' }, async victim => {
    const bystander = await Bystander.come(victim)
    const crowd = await Promise.all(Array.from({ length: 9 }, () => victim.open()))
    await victim.until('it is full', () => victim.clients === 10)
    const refused = await victim.open()
    const said = await new Promise(resolve => refused.once('data', bytes => resolve(bytes.toString())))
    assert.equal(said, '-ERR max number of clients reached\r\n')
    await bystander.check()
    for (const socket of crowd) socket.destroy()
    await victim.until('they are gone', () => victim.clients === 1)
    const late = await Bystander.come(victim)
    await late.check()
  }))
