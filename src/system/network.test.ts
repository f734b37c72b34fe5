// One suite for every Network: the runtime's, and the virtual one.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runtimeNetwork } from '../net/runtime.ts'
import {
  type Connection,
  dialing,
  type Listener,
  listening,
  type Network,
  NetworkError,
  type Outgoing,
} from './network.ts'
import { VirtualWorld } from './virtual-world.ts'

interface Place {
  /** The sides; the same one where there is one machine only. */
  server: Network
  client: Network
  /** What the client dials. */
  host: string
  path: string | undefined
  /** Lets time pass until that is so. */
  until(what: () => boolean): Promise<void>
  end(): void
}

const PLACES: { readonly [name: string]: () => Place } = {
  'the runtime': realPlace,
  'a virtual machine': () => virtualPlace(false),
  'two virtual machines': () => virtualPlace(true),
}

function realPlace(): Place {
  const network = runtimeNetwork()
  const folder = mkdtempSync(join(tmpdir(), 'redstart-net-'))
  return {
    server: network,
    client: network,
    host: '127.0.0.1',
    path: process.platform === 'win32' ? undefined : join(folder, 's'),
    async until(what) {
      for (let turns = 0; !what() && turns < 10_000; turns++) await new Promise(resolve => setTimeout(resolve, 1))
      assert.ok(what())
    },
    end: () => rmSync(folder, { recursive: true }),
  }
}

function virtualPlace(apart: boolean): Place {
  const world = new VirtualWorld({ seed: 5 })
  const one = world.machine('one')
  const other = apart ? world.machine('other') : one
  world.network.link.tearsPerMillion = 300_000
  return {
    server: one.system.network,
    client: other.system.network,
    host: apart ? 'one' : '127.0.0.1',
    path: apart ? undefined : '/s',
    async until(what) {
      await world.run(100_000, what)
      assert.ok(what())
    },
    end() {},
  }
}

/** The events of a listener of one connection. */
class Heard {
  connection: Connection | undefined
  text = ''
  bytes = 0
  drains = 0
  ends = 0
  closes = 0
}

interface Pair {
  heard: Heard
  outgoing: Outgoing
  /** The events of the client. */
  back: { text: string; bytes: number; ends: number; closes: (string | undefined)[]; drains: number }
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Waits for a promise while time passes. */
async function settled<Result>(place: Place, promise: Promise<Result>): Promise<Result> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  promise.then(settle, settle)
  await place.until(() => isSettled)
  return promise
}

interface Wish {
  path?: string
  halfOpen?: boolean
  refuse?: string
}

function listen(place: Place, heard: Heard, { path, halfOpen, refuse }: Wish): Promise<Listener> {
  const options = { host: '0.0.0.0', port: 0, path, backlog: 511, keepaliveSeconds: 300 }
  return settled(
    place,
    listening<Heard>(place.server, options, {
      opened(connection) {
        heard.connection = connection
        if (refuse === undefined) return heard
        connection.write(bytesOf(refuse), 0, refuse.length)
        return undefined
      },
      received(session, u8, dv, start, end) {
        assert.equal(u8.buffer, dv.buffer)
        session.bytes += end - start
        if (session.text.length < 1000) session.text += textOf(u8.subarray(start, end))
      },
      drained: session => void session.drains++,
      ended: halfOpen === true ? session => void session.ends++ : undefined,
      closed: session => void session.closes++,
    }),
  )
}

async function connect(place: Place, wish: Wish = {}): Promise<Pair & { listener: Listener }> {
  const heard = new Heard()
  const listener = await listen(place, heard, wish)
  const address = { host: place.host, port: listener.port, path: wish.path }
  const back: Pair['back'] = { text: '', bytes: 0, ends: 0, closes: [], drains: 0 }
  const dialled = dialing(place.client)(address, 5000).then(outgoing => {
    outgoing.onData = bytes => {
      back.bytes += bytes.length
      if (back.text.length < 1000) back.text += textOf(bytes)
    }
    outgoing.onClose = reason => void back.closes.push(reason)
    outgoing.onDrain = () => void back.drains++
    return outgoing
  })
  const outgoing = await settled(place, dialled)
  await place.until(() => heard.connection !== undefined)
  return { heard, outgoing, back, listener }
}

function say(connection: Connection | undefined, text: string): void {
  assert.equal(connection?.write(bytesOf(`<${text}>`), 1, text.length + 1), text.length)
}

function each(name: string, run: (place: Place) => Promise<void>): void {
  for (const [where, make] of Object.entries(PLACES))
    test(`${where}: ${name}`, async () => {
      const place = make()
      try {
        await run(place)
      } finally {
        place.end()
      }
    })
}

each('what one side writes the other reads, until the dialler closes', async place => {
  const { heard, outgoing, back, listener } = await connect(place)
  assert.equal(heard.connection?.kind, 'tcp')
  assert.match(listener.address, /^0\.0\.0\.0:\d+$/)
  assert.equal(outgoing.peer, heard.connection?.local)
  assert.equal(outgoing.local, heard.connection?.peer)
  assert.equal(outgoing.write(bytesOf('ping')), true)
  await place.until(() => heard.text === 'ping')
  say(heard.connection, 'pong')
  await place.until(() => back.text === 'pong')
  outgoing.close()
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  assert.deepEqual(back.closes, [undefined])
  listener.close()
})

each('what is written is copied, whatever kind of bytes it is', async place => {
  const { heard, outgoing, listener } = await connect(place)
  const pooled = Buffer.from('a pooled buffer')
  outgoing.write(pooled)
  await place.until(() => heard.bytes === pooled.length)
  outgoing.write(Buffer.from('!'))
  await place.until(() => heard.text === 'a pooled buffer!')
  assert.equal(pooled.toString(), 'a pooled buffer')
  outgoing.close()
  listener.close()
})

each('the listener closes after what it wrote', async place => {
  const { heard, back, listener } = await connect(place)
  say(heard.connection, 'bye')
  heard.connection?.close(true)
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  assert.deepEqual(back, { text: 'bye', bytes: 3, ends: 0, closes: [undefined], drains: 0 })
  listener.close()
})

each('a connection that is refused gets what was said to it, and the receiver hears no more', async place => {
  const { heard, outgoing, back, listener } = await connect(place, { refuse: 'no' })
  outgoing.write(bytesOf('but'))
  await place.until(() => back.closes.length === 1)
  assert.deepEqual([heard.text, heard.closes], ['', 0])
  assert.ok(back.text === 'no' || back.closes[0] !== undefined)
  listener.close()
})

each('after the end of what one side writes the other goes on', async place => {
  const { heard, outgoing, back, listener } = await connect(place, { halfOpen: true })
  outgoing.write(bytesOf('all'))
  outgoing.end()
  await place.until(() => heard.ends === 1)
  assert.deepEqual([heard.text, heard.closes], ['all', 0])
  say(heard.connection, 'heard')
  await place.until(() => back.text === 'heard')
  heard.connection?.close(true)
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  assert.deepEqual(back.closes, [undefined])
  listener.close()
})

each('where the listener does not ask for it, the end of one side is that of both', async place => {
  const { heard, outgoing, back, listener } = await connect(place)
  outgoing.end()
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  listener.close()
})

each('a reset tells the dialler why', async place => {
  const { heard, outgoing, back, listener } = await connect(place)
  outgoing.write(bytesOf('x'))
  await place.until(() => heard.text === 'x')
  heard.connection?.close(false)
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  listener.close()
})

each('a dialler that resets is gone for the listener', async place => {
  const { heard, outgoing, back, listener } = await connect(place, { halfOpen: true })
  outgoing.reset()
  await place.until(() => heard.closes === 1 && back.closes.length === 1)
  assert.equal(heard.ends, 0)
  listener.close()
})

each('a listener that stops reading makes the dialler wait, and loses nothing', async place => {
  const { heard, outgoing, back, listener } = await connect(place)
  heard.connection?.pause()
  const piece = new Uint8Array(64 * 1024).fill(97)
  let pieces = 1
  while (outgoing.write(piece)) assert.ok(++pieces < 1000)
  heard.connection?.resume()
  await place.until(() => back.drains === 1)
  await place.until(() => heard.bytes === pieces * piece.length)
  outgoing.close()
  await place.until(() => heard.closes === 1)
  listener.close()
})

each('a dialler that stops reading makes the listener wait, and loses nothing', async place => {
  const { heard, outgoing, back, listener } = await connect(place)
  outgoing.pause()
  const piece = new Uint8Array(1 << 20).fill(97)
  const { connection } = heard
  assert.ok(connection)
  let written = 0
  for (let times = 0; times < 64; times++) {
    const taken = connection.write(piece, 0, piece.length)
    written += taken
    // Where the operating system still reads the buffer, the adapter takes it whole, and the next one not at all.
    if (taken < piece.length) break
  }
  assert.ok(written < 64 * piece.length)
  outgoing.resume()
  await place.until(() => heard.drains > 0 && back.bytes === written)
  outgoing.close()
  await place.until(() => heard.closes === 1)
  listener.close()
})

each('nobody listens: the connection is refused', async place => {
  const { listener, outgoing } = await connect(place)
  outgoing.close()
  listener.close()
  const address = { host: place.host, port: listener.port }
  await assert.rejects(settled(place, dialing(place.client)(address, 5000)), {
    name: 'NetworkError',
    code: 'ECONNREFUSED',
    message: 'Connection refused',
  })
})

each('a port that is taken, and an address of another machine, are refused', async place => {
  const { listener, outgoing } = await connect(place)
  const none = { opened: () => undefined, received() {}, drained() {}, closed() {} }
  const options = { host: '0.0.0.0', port: listener.port, backlog: 5, keepaliveSeconds: 0 }
  await assert.rejects(settled(place, listening(place.server, options, none)), {
    code: 'EADDRINUSE',
    message: 'Address already in use',
  })
  await assert.rejects(
    settled(place, listening(place.server, { ...options, host: '192.0.2.1', port: 0 }, none)),
    NetworkError,
  )
  outgoing.close()
  listener.close()
})

each('a Unix socket is a way, too', async place => {
  if (place.path === undefined) return
  const { heard, outgoing, back, listener } = await connect(place, { path: place.path })
  assert.deepEqual([listener.address, heard.connection?.kind], [place.path, 'unix'])
  assert.equal(heard.connection?.peer, `${place.path}:0`)
  outgoing.write(bytesOf('here'))
  await place.until(() => heard.text === 'here')
  heard.connection?.close(true)
  await place.until(() => back.closes.length === 1)
  listener.close()
})

each('addresses stand for themselves; a name for nothing is an error', async place => {
  const ask = (name: string) => {
    const answer = new Promise<readonly string[] | NetworkError>(done => place.client.resolve(name, done))
    return settled(place, answer)
  }
  assert.deepEqual(await ask('192.0.2.7'), ['192.0.2.7'])
  assert.ok((await ask('none.invalid')) instanceof NetworkError)
})
