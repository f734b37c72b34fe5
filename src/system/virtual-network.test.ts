import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection, NetworkError, Outgoing } from './network.ts'
import type { VirtualMachine } from './virtual.ts'
import { VirtualWorld } from './virtual-world.ts'

/** Two machines and a third; the first listens on port 7, and notes what comes and when. */
function threeMachines(seed = 1) {
  const world = new VirtualWorld({ seed })
  const server = world.machine('server')
  const client = world.machine('client')
  const other = world.machine('other')
  world.network.link.jitterUs = 0
  world.network.link.latencyUs = 1000
  const seen: string[] = []
  const connections: Connection[] = []
  const note = (what: string) => void seen.push(`${what}@${world.nowMs}`)
  listen(server, connections, note)
  world.scheduler.advance(1)
  return { world, server, client, other, seen, note, connections }
}

function listen(machine: VirtualMachine, connections: Connection[], note: (what: string) => void): void {
  const options = { host: '0.0.0.0', port: 7, backlog: 511, keepaliveSeconds: 0 }
  machine.system.network.listen<number>(
    options,
    {
      opened: connection => connections.push(connection),
      received: (number, u8, _dv, start, end) => note(`${number}:${new TextDecoder().decode(u8.subarray(start, end))}`),
      drained: number => note(`${number} drained`),
      closed: number => note(`${number} closed`),
    },
    result => assert.equal((result as { port?: number }).port, 7),
  )
}

class Dialled {
  link: Outgoing | undefined
  failed: string | undefined
  heard = ''
  isClosed = false
  closed: string | undefined
}

/** What was seen, without when. */
const texts = (seen: readonly string[]) => seen.map(text => text.split('@')[0])

/** Dials; what has become of it. */
function dial(machine: VirtualMachine, host: string, timeoutMs = 5000) {
  const state = new Dialled()
  machine.system.network.dial({ host, port: 7 }, timeoutMs, (result: Outgoing | NetworkError) => {
    if ('code' in result) {
      state.failed = result.code
      return
    }
    state.link = result
    result.onData = bytes => {
      state.heard += new TextDecoder().decode(bytes)
    }
    result.onClose = reason => {
      state.closed = reason
      state.isClosed = true
    }
  })
  return state
}

const bytesOf = (text: string) => new TextEncoder().encode(text)

function say(connection: Connection, text: string): void {
  assert.equal(connection.write(bytesOf(text), 0, text.length), text.length)
}

const ms = (world: VirtualWorld, amount: number) =>
  world.scheduler.advance(Math.round(world.scheduler.nowUs + amount * 1000))

test('a connection takes the way there and back, bytes the way there', () => {
  const { world, client, seen, connections } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 1.9)
  assert.equal(state.link === undefined, true)
  ms(world, 0.2)
  assert.equal(state.link?.peer, '10.0.0.1:7')
  state.link?.write(bytesOf('a'))
  ms(world, 5)
  assert.deepEqual(seen, ['1:a@3.101'])
  say(connections[0], 'b')
  ms(world, 0.9)
  assert.equal(state.heard, '')
  ms(world, 0.1)
  assert.equal(state.heard, 'b')
})

test('a slow link is shared by its connections, and the other direction is not slow', () => {
  const { world, server, client, seen, connections } = threeMachines()
  world.network.setLink(client.host, server.host, { bytesPerSecond: 1000, latencyUs: 0 })
  const [one, two] = [dial(client, 'server'), dial(client, 'server')]
  ms(world, 10)
  const start = world.nowMs
  one.link!.write(bytesOf('x'.repeat(50)))
  two.link!.write(bytesOf('y'.repeat(50)))
  ms(world, 200)
  assert.deepEqual(
    seen.map(text => [text.slice(0, 3), Math.round(Number(text.split('@')[1]) - start)]),
    [
      ['1:x', 50],
      ['2:y', 100],
    ],
  )
  say(connections[0], 'z'.repeat(1000))
  ms(world, 1)
  assert.equal(one.heard.length, 1000)
})

test('jitter changes the order between connections, never inside one', () => {
  const { world, client, seen } = threeMachines()
  const states = Array.from({ length: 8 }, () => dial(client, 'server'))
  ms(world, 10)
  world.network.link.jitterUs = 5000
  world.network.link.tearsPerMillion = 500_000
  for (let i = 0; i < 20; i++) for (const { link } of states) link!.write(bytesOf(`<${i}>`))
  ms(world, 100)
  const numbers = seen.map(text => Number(text.split(':')[0]))
  assert.ok(seen.length > 8 * 20, 'none is torn')
  assert.notDeepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  )
  const all = Array.from({ length: 20 }, (_, i) => `<${i}>`).join('')
  for (let number = 1; number <= 8; number++) {
    const own = seen.filter(text => text.startsWith(`${number}:`)).map(text => text.slice(2).split('@')[0])
    assert.equal(own.join(''), all)
  }
})

test('what is written during a partition comes when it is healed, in order', () => {
  const { world, server, client, other, seen } = threeMachines()
  const [state, third] = [dial(client, 'server'), dial(other, 'server')]
  ms(world, 10)
  state.link!.write(bytesOf('0'))
  world.network.partition([client.host], [server.host])
  for (const text of ['1', '2', '3']) state.link!.write(bytesOf(text))
  third.link!.write(bytesOf('free'))
  ms(world, 10_000)
  assert.deepEqual(texts(seen), ['2:free'])
  world.network.heal()
  ms(world, 1000)
  assert.deepEqual(texts(seen), ['2:free', '1:0', '1:1', '1:2', '1:3'])
  assert.equal(state.isClosed, false)
})

test('a partition that lasts breaks the connections that wait, on the side that waits', () => {
  const { world, server, client, seen, connections } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  world.network.partition([client.host], [server.host])
  state.link!.write(bytesOf('x'))
  ms(world, 59_000)
  assert.equal(state.isClosed, false)
  ms(world, 2000)
  assert.deepEqual([state.closed, seen], ['Connection timed out', []])
  // The server does not know of it; its next write is answered with a reset.
  world.network.heal()
  ms(world, 1000)
  assert.equal(seen.length, 0)
  say(connections[0], 'y')
  ms(world, 1000)
  assert.deepEqual(texts(seen), ['1 closed'])
})

test('a cut in one direction lets the other pass, but nothing is confirmed', () => {
  const { world, server, client, seen, connections } = threeMachines()
  world.network.link.bufferBytes = 10
  const state = dial(client, 'server')
  ms(world, 10)
  world.network.cut(client.host, server.host)
  say(connections[0], '0123456789')
  state.link!.write(bytesOf('lost'))
  ms(world, 1000)
  assert.deepEqual([state.heard, seen], ['0123456789', []])
  assert.equal(connections[0].write(bytesOf('more'), 0, 4), 0)
  ms(world, 1000)
  assert.equal(seen.length, 0)
  world.network.heal(client.host, server.host)
  ms(world, 1000)
  assert.deepEqual(texts(seen).toSorted(), ['1 drained', '1:lost'])
  say(connections[0], 'more')
  ms(world, 1000)
  assert.equal(state.heard, '0123456789more')
})

test('dialling through a partition tries again until its time is over', () => {
  const { world, server, client } = threeMachines()
  world.network.partition([client.host], [server.host])
  const [short, long] = [dial(client, 'server', 2000), dial(client, 'server', 20_000)]
  ms(world, 2500)
  assert.deepEqual([short.failed, long.failed, long.link], ['ETIMEDOUT', undefined, undefined])
  world.network.heal()
  ms(world, 2500)
  assert.ok(long.link)
})

test('a process that is killed has its connections closed, and its port is free', () => {
  const { world, server, client, connections, note } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  say(connections[0], 'last words')
  server.kill()
  ms(world, 10)
  assert.deepEqual([state.heard, state.isClosed, state.closed], ['last words', true, undefined])
  const refused = dial(client, 'server')
  ms(world, 10)
  assert.equal(refused.failed, 'ECONNREFUSED')
  listen(server, connections, note)
  const again = dial(client, 'server')
  ms(world, 10)
  assert.ok(again.link)
})

test('a process that dies while a connection to it opens never hears of it, nor does its successor', () => {
  const { world, server, client, connections, note } = threeMachines()
  for (const die of [() => server.kill(), () => server.powerOff()]) {
    const dialled = dial(client, 'server')
    ms(world, 1.5)
    die()
    server.powerOn()
    listen(server, connections, note)
    ms(world, 10)
    assert.equal(dialled.failed, 'ECONNRESET')
    assert.equal(connections.length, 0)
  }
})

test('a process that is killed with bytes unread resets', () => {
  const { world, server, client, connections } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  connections[0].pause()
  state.link!.write(bytesOf('unread'))
  ms(world, 10)
  server.kill()
  ms(world, 10)
  assert.equal(state.closed, 'Connection reset by peer')
})

test('a machine without power says nothing: its peers are half open until they write to it', () => {
  const { world, server, client, other, connections, note } = threeMachines()
  const [writer, reader] = [dial(client, 'server'), dial(other, 'server')]
  ms(world, 10)
  say(connections[0], 'not sent any more')
  server.powerOff()
  ms(world, 20_000)
  assert.deepEqual([writer.isClosed, reader.isClosed, writer.heard], [false, false, ''])
  const late = dial(client, 'server', 1000)
  ms(world, 2000)
  assert.equal(late.failed, 'ETIMEDOUT')
  server.powerOn()
  listen(server, connections, note)
  writer.link!.write(bytesOf('still there?'))
  ms(world, 1000)
  assert.equal(writer.closed, 'Connection reset by peer')
  ms(world, 100_000)
  assert.equal(reader.isClosed, false)
})

test('a machine that moves to another address loses its connections, and names follow', () => {
  const { world, server, client, seen } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  world.network.move(server.host, '10.0.9.9')
  state.link!.write(bytesOf('x'))
  const [byName, byAddress] = [dial(client, 'server', 1000), dial(client, '10.0.9.9')]
  ms(world, 2000)
  assert.deepEqual([byName.failed, byAddress.link?.peer, seen], ['ETIMEDOUT', '10.0.9.9:7', []])
  world.network.setName('server', '10.0.9.9')
  const renamed = dial(client, 'server')
  ms(world, 100_000)
  assert.equal(renamed.link?.peer, '10.0.9.9:7')
  assert.equal(state.closed, 'Connection timed out')
})

test('loss beyond repair resets both ends', () => {
  const { world, client, seen } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  world.network.link.resetsPerMillion = 1_000_000
  state.link!.write(bytesOf('x'))
  ms(world, 10)
  assert.equal(state.closed, 'Connection reset by peer')
  assert.deepEqual(texts(seen), ['1 closed'])
})

test('a machine that stands still hears afterwards what came, in order, and its kernel took it', () => {
  const { world, server, client, seen } = threeMachines()
  const state = dial(client, 'server')
  ms(world, 10)
  server.time.stall(500)
  for (const text of ['1', '2', '3']) state.link!.write(bytesOf(text))
  ms(world, 400)
  assert.equal(seen.length, 0)
  ms(world, 200)
  assert.deepEqual(texts(seen), ['1:1', '1:2', '1:3'])
  assert.ok(Number(seen[0].split('@')[1]) >= 510)
})

test('a reader that is paused fills what lies between, and no more than that', () => {
  const { world, client, seen, connections } = threeMachines()
  world.network.link.bufferBytes = 1000
  const state = dial(client, 'server')
  ms(world, 10)
  state.link!.pause()
  const piece = new Uint8Array(700)
  assert.deepEqual([connections[0].write(piece, 0, 700), connections[0].write(piece, 0, 700)], [700, 300])
  assert.equal(connections[0].write(piece, 0, 700), 0)
  ms(world, 100_000)
  assert.deepEqual([state.heard.length, seen], [0, []])
  state.link!.resume()
  ms(world, 10)
  assert.equal(state.heard.length, 1000)
  assert.deepEqual(texts(seen), ['1 drained'])
})

test('clocks run apart, jump, and start anew', () => {
  const world = new VirtualWorld({ startMs: 1_000_000 })
  const [right, fast, wrong] = [
    world.machine('right'),
    world.machine('fast'),
    world.machine('wrong', { startMs: 5000 }),
  ]
  fast.time.drift(100_000)
  const fired: string[] = []
  for (const [name, machine] of [
    ['right', right],
    ['fast', fast],
  ] as const)
    machine.system.timers.every(1000, () => fired.push(`${name}@${Math.round(world.nowMs)}`))
  wrong.time.jump(-3000)
  ms(world, 2100)
  assert.deepEqual(fired, ['fast@909', 'right@1000', 'fast@1818', 'right@2000'])
  const { clock } = fast.system
  assert.deepEqual([right.system.clock.nowMs(), clock.nowMs()], [1_002_100, 1_002_310])
  assert.deepEqual([wrong.system.clock.nowMs(), wrong.system.clock.monotonicUs()], [4100, 2_100_000])
  wrong.powerOff()
  ms(world, 10)
  wrong.powerOn()
  assert.deepEqual([wrong.system.clock.nowMs(), wrong.system.clock.monotonicUs()], [4110, 0])
})

test('a process that exits in the world is killed, and the others go on', async () => {
  const world = new VirtualWorld()
  const [one, two] = [world.machine('one'), world.machine('two')]
  let ticks = 0
  one.system.timers.every(10, () => one.system.process.exit(3))
  two.system.timers.every(10, () => ticks++)
  await world.run(100)
  assert.deepEqual([one.exitCode, one.lives, ticks], [3, 2, 10])
})
