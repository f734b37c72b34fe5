import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { pass, request, started } from '../../../test/harness/metrics-port.ts'
import { VirtualWorld } from '../../system/virtual-world.ts'

const PORT = 8079
const ON = { 'rest-port': String(PORT), 'rest-bind': '*', 'rest-token': 'dev' }

function post(path: string, body: string, more = ''): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: server', 'Authorization: Bearer dev', `Content-Length: ${body.length}`]
  return `${lines.join('\r\n')}\r\n${more}\r\n${body}`
}

/** Lets simulated time pass, and promises between. */
async function settle(world: VirtualWorld) {
  for (let turns = 0; turns < 20; turns++) {
    pass(world, 10)
    await new Promise(resolve => void setImmediate(resolve))
  }
}

function bodiesOf(text: string): string[] {
  return text
    .split(/HTTP\/1.1 /)
    .slice(1)
    .map(reply => `${reply.slice(0, 3)} ${reply.slice(reply.indexOf('\r\n\r\n') + 4)}`)
}

test('requests on one connection are answered in order, whatever pieces they come in', async () => {
  const { world, client, server } = await started(ON)
  const whole = post('/set/k', 'a value') + post('/', '["GET","k"]') + post('/pipeline', '[["INCR","n"],["GET"]]')
  const state = request(client, [whole.slice(0, 30), whole.slice(30, 200), whole.slice(200)], PORT)
  await settle(world)
  const last = '[{"result":1},{"error":"ERR wrong number of arguments for \'get\' command"}]'
  assert.deepEqual(bodiesOf(state.text), ['200 {"result":"OK"}', '200 {"result":"a value"}', `200 ${last}`])
  assert.equal(state.isOver, false)
  assert.equal(new Set(state.text.match(/Upstash-Sync-Token: \d+/g)).size, 3)
  state.link?.write(new TextEncoder().encode(post('/get/k', '', 'Connection: close\r\n')))
  await settle(world)
  assert.match(state.text, /\{"result":"a value"\}$/)
  assert.equal(state.isOver, true)
  await server.stop(['nosave'])
})

test('a request without the token, of another method or without a length is refused', async () => {
  const { world, client, server } = await started(ON)
  for (const [head, status] of [
    ['GET /get/k HTTP/1.1\r\n', '401'],
    ['GET /get/k?_token=de HTTP/1.1\r\n', '401'],
    ['GET /get/k?_token=dev HTTP/1.1\r\n', '200'],
    ['DELETE / HTTP/1.1\r\n', '405'],
    ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n', '411'],
    ['POST / HTTP/1.1\r\nContent-Length: -1\r\n', '400'],
    [`POST / HTTP/1.1\r\nContent-Length: ${2 ** 40}\r\n`, '413'],
  ]) {
    const state = request(client, [`${head}\r\n`], PORT)
    await settle(world)
    assert.equal(state.text.slice(9, 12), status, head)
  }
  await server.stop(['nosave'])
})

test('a subscription is a stream of events until the client ends it', async () => {
  const { world, client, server } = await started(ON)
  const state = request(client, ['GET /subscribe/news?_token=dev HTTP/1.1\r\n\r\n'], PORT)
  await settle(world)
  server.call('publish', 'news', 'hello')
  await settle(world)
  assert.match(state.text, /text\/event-stream/)
  assert.deepEqual(state.text.split('\r\n\r\n')[1], 'data: subscribe,news,1\n\ndata: message,news,hello\n\n')
  state.link?.close()
  await settle(world)
  assert.equal(server.call('publish', 'news', 'again'), 0)
  await server.stop(['nosave'])
})

test('without a token the port is not opened, and a token that is taken back lets nobody in', async () => {
  const world = new VirtualWorld({ seed: 1 })
  const machine = world.machine('server')
  await assert.rejects(MachineServer.start(machine, { 'rest-port': String(PORT) }), /rest-port needs a rest-token/)
  const { world: other, client, server } = await started(ON)
  assert.equal(server.call('config', 'set', 'rest-token', ''), 'OK')
  const state = request(client, ['GET /get/k HTTP/1.1\r\nAuthorization: Bearer \r\n\r\n'], PORT)
  await settle(other)
  assert.equal(state.text.slice(9, 12), '401')
  await server.stop(['nosave'])
})
