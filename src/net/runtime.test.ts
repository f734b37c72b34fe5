import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Connection, dialing, type Listener, listening, NetworkError, type Receiver } from '../system/network.ts'
import { runtimeNetwork } from './runtime.ts'

const receiver: Receiver<undefined> = { opened: () => undefined, received() {}, drained() {}, closed() {} }

test('the IPv6 addresses are listened on beside the IPv4 ones', async () => {
  const network = runtimeNetwork()
  const open = (host: string, port: number): Promise<Listener | NetworkError> =>
    listening(network, { host, port, backlog: 16, keepaliveSeconds: 0 }, receiver).catch(error => error)
  const four = await open('0.0.0.0', 0)
  assert.ok(!(four instanceof NetworkError))
  const six = await open('::', four.port)
  four.close()
  // A machine may have no IPv6.
  if (six instanceof NetworkError) assert.notEqual(six.code, 'EADDRINUSE')
  else six.close()
})

test('what waits in a paused socket is read into two buffers, and the rest arrives after resume', async () => {
  const network = runtimeNetwork()
  const settled = <T>() => {
    let done!: (value: T) => void
    return { promise: new Promise<T>(resolve => (done = resolve)), done: (value: T) => done(value) }
  }
  const accepted = settled<Connection>()
  const arrived = settled<string>()
  const closed = settled<boolean>()
  const there: Receiver<string> = {
    opened(connection) {
      connection.pause()
      accepted.done(connection)
      return 'session'
    },
    received: (_session, u8, _dv, start, end) => arrived.done(Buffer.from(u8.subarray(start, end)).toString()),
    drained() {},
    closed: () => closed.done(true),
  }
  const options = { host: '127.0.0.1', port: 0, backlog: 16, keepaliveSeconds: 0 }
  const listener = await listening(network, options, there)
  const outgoing = await dialing(network)({ host: '127.0.0.1', port: listener.port }, 5000)
  const connection = await accepted.promise
  connection.pause()
  const [place, next] = [new Uint8Array(4), new Uint8Array(3)]
  assert.equal(connection.readInto!(place, next), 0)
  outgoing.write(Buffer.from('argument and more'))
  let bytes = 0
  while (bytes === 0) {
    await new Promise(resolve => setTimeout(resolve, 1))
    bytes = connection.readInto!(place, next)
  }
  assert.deepEqual([bytes, Buffer.from(place).toString(), Buffer.from(next).toString()], [7, 'argu', 'men'])
  connection.resume()
  assert.equal(await arrived.promise, 't and more')
  outgoing.close()
  await closed.promise
  assert.equal(connection.readInto!(place, next), 0)
  listener.close()
})
