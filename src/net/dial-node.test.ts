import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { dialing, NetworkError, type Outgoing } from '../system/network.ts'
import { dial, resolve } from './dial-node.ts'

/** A server that hands over what connects; its port. */
async function listen(serve: (socket: Socket) => void): Promise<{ port: number; close: () => void }> {
  const server = createServer({ allowHalfOpen: true }, serve)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as { port: number }).port, close: () => server.close() }
}

const connect = (port: number): Promise<Outgoing> => dialing({ dial })({ host: '127.0.0.1', port }, 5000)

const closeOf = (connection: Outgoing) =>
  new Promise<string | undefined>(done => {
    connection.onClose = done
  })

test('what cannot be dialled is an error with its code', async () => {
  const { port, close } = await listen(() => {})
  close()
  await assert.rejects(connect(port), { code: 'ECONNREFUSED', message: 'Connection refused' })
})

test('what can be no address is an error, and nothing is thrown', async () => {
  for (const port of [-1, 65536, 99999, Number.MAX_SAFE_INTEGER]) await assert.rejects(connect(port), NetworkError)
  let isIn = true
  const outcome = await new Promise<unknown>(done => {
    dial({ host: '127.0.0.1', port: 99999 }, 5000, result => done([isIn, result instanceof NetworkError]))
    isIn = false
  })
  assert.deepEqual(outcome, [false, true])
  const withNul = dialing({ dial })({ host: 'a\0b', port: 1 }, 5000)
  await assert.rejects(withNul, NetworkError)
})

test('after its end a connection still hears what the peer has to say', async () => {
  const server = await listen(socket => {
    let heard = ''
    socket.on('data', bytes => {
      heard += bytes.toString()
    })
    socket.on('end', () => socket.end(`heard ${heard}`))
  })
  const connection = await connect(server.port)
  assert.equal(connection.peer, `127.0.0.1:${server.port}`)
  let text = ''
  connection.onData = bytes => {
    text += new TextDecoder().decode(bytes)
  }
  const closed = closeOf(connection)
  connection.write(new TextEncoder().encode('all'))
  connection.end()
  assert.equal(await closed, undefined)
  assert.equal(text, 'heard all')
  server.close()
})

test('a peer that stops reading makes the writer wait, and onDrain ends that', async () => {
  let peer: Socket | undefined
  const server = await listen(socket => {
    peer = socket.pause()
  })
  const connection = await connect(server.port)
  const piece = new Uint8Array(1 << 20)
  let written = 0
  const drained = new Promise<void>(done => {
    connection.onDrain = done
  })
  while (connection.write(piece)) assert.ok(++written < 64)
  peer!.resume()
  await drained
  connection.close()
  server.close()
})

test('a reset tells the reason', async () => {
  const server = await listen(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.resetAndDestroy())
  })
  const connection = await connect(server.port)
  const closed = closeOf(connection)
  connection.write(Uint8Array.of(1))
  assert.equal(await closed, 'Connection reset by peer')
  server.close()
})

test('an address stands for itself, and a name that is none for nothing', async () => {
  const ask = (name: string) => new Promise<readonly string[] | NetworkError>(done => resolve(name, done))
  assert.deepEqual(await ask('127.0.0.1'), ['127.0.0.1'])
  const none = await ask('none.invalid')
  assert.ok(none instanceof NetworkError)
  assert.ok(none.code !== '')
})
