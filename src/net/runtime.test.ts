import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Listener, listening, NetworkError, type Receiver } from '../system/network.ts'
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
