import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from './index.ts'
import { requester, restHandler } from './upstash.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function handler(token?: string) {
  const server = await createServer()
  const handle = restHandler(server, token === undefined ? {} : { token })
  const ask = async (target: string, init?: RequestInit) => {
    const response = await handle(new Request(`http://localhost${target}`, init))
    return [response.status, JSON.parse((await response.text()) || 'null')]
  }
  const post = (target: string, body: unknown, headers?: Record<string, string>) =>
    ask(target, { method: 'POST', body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) })
  return { server, handle, ask, post }
}

test('commands in the path, in the query and in the body', async () => {
  const { server, ask, post } = await handler()
  assert.deepEqual(await ask('/set/a%20key/v?EX=100'), [200, { result: 'OK' }])
  assert.deepEqual(await ask('/ttl/a%20key'), [200, { result: 100 }])
  assert.deepEqual(await ask('/set/b', { method: 'POST', body: 'bödy' }), [200, { result: 'OK' }])
  assert.deepEqual(await post('/', ['GET', 'b']), [200, { result: 'bödy' }])
  assert.deepEqual(await post('/', ['HSET', 'h', 'f', 1, 'g', true, 'o', { a: [1] }]), [200, { result: 3 }])
  assert.deepEqual(await ask('/hgetall/h'), [200, { result: ['f', '1', 'g', 'true', 'o', '{"a":[1]}'] }])
  assert.deepEqual(await ask('/get/absent'), [200, { result: null }])
  const [status, { error }] = await ask('/incr/b')
  assert.equal(status, 400)
  assert.match(error, /not an integer/)
  assert.equal((await post('/', {}))[0], 400)
  assert.equal((await ask('/', { method: 'POST', body: 'no JSON' }))[0], 400)
  assert.equal((await ask('/get/b', { method: 'DELETE' }))[0], 405)
  await server.close()
})

test('a handler stands in the place of fetch', async () => {
  const { server, handle } = await handler()
  const resultOf = async (response: Promise<Response>) => (await response).json()
  assert.deepEqual(await resultOf(handle('http://kv/set/a/1')), { result: 'OK' })
  assert.deepEqual(await resultOf(handle(new URL('http://kv/incr/a'))), { result: 2 })
  const init = { method: 'POST', body: '["GET", "a"]', headers: { 'upstash-encoding': 'base64' } }
  assert.deepEqual(await resultOf(handle('http://kv', init)), { result: base64('2') })
  assert.deepEqual(await resultOf(handle(new Request('http://kv/get/a'), undefined)), { result: '2' })
  await server.close()
})

test('a pipeline replies one by one, a transaction as one', async () => {
  const { server, post } = await handler()
  const commands = [
    ['SET', 'k', 'v'],
    ['INCR', 'k'],
    ['GET', 'k'],
  ]
  const error = 'ERR value is not an integer or out of range'
  const replies = [{ result: 'OK' }, { error }, { result: 'v' }]
  assert.deepEqual(await post('/pipeline', commands), [200, replies])
  assert.deepEqual(await post('/multi-exec', commands), [200, replies])
  const [status, refused] = await post('/multi-exec', [['SET', 'k', 'w'], ['NOSUCH']])
  assert.equal(status, 400)
  assert.match(refused.error, /EXECABORT/)
  assert.equal(server.callSync('GET', 'k'), 'v')
  await server.close()
})

test('strings as base64, and replies as RESP2', async () => {
  const { server, handle, post } = await handler()
  const encoding = { 'Upstash-Encoding': 'base64' }
  assert.deepEqual(await post('/', ['SET', 'k', 'ä'], encoding), [200, { result: 'OK' }])
  assert.deepEqual(await post('/', ['MGET', 'k', 'none'], encoding), [200, { result: [base64('ä'), null] }])
  assert.deepEqual(await post('/pipeline', [['TYPE', 'k']], encoding), [200, [{ result: base64('string') }]])
  const headers = { 'Upstash-Response-Format': 'resp2' }
  const response = await handle(new Request('http://localhost/mget/k/none', { headers }))
  assert.equal(await response.text(), '*2\r\n$2\r\nä\r\n$-1\r\n')
  await server.close()
})

test('with a token, requests must name it', async () => {
  const { server, ask } = await handler('secret')
  assert.deepEqual(await ask('/ping'), [401, { error: 'Unauthorized' }])
  assert.equal((await ask('/ping', { headers: { authorization: 'Bearer other' } }))[0], 401)
  assert.deepEqual(await ask('/ping', { headers: { authorization: 'Bearer secret' } }), [200, { result: 'PONG' }])
  assert.deepEqual(await ask('/echo/hello?_token=secret'), [200, { result: 'hello' }])
  await server.close()
})

test('subscriptions and MONITOR are server-sent events', async () => {
  const { server, handle } = await handler()
  const controller = new AbortController()
  const response = await handle(new Request('http://localhost/subscribe/c', { signal: controller.signal }))
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = response.body!.getReader()
  const next = async () => new TextDecoder().decode((await reader.read()).value)
  assert.equal(await next(), 'data: subscribe,c,1\n\n')
  await server.call('PUBLISH', 'c', '{"a":1}')
  assert.equal(await next(), 'data: message,c,{"a":1}\n\n')
  controller.abort()
  assert.equal(await server.call('PUBSUB NUMPAT'), 0)
  assert.deepEqual(await server.call('PUBSUB CHANNELS'), [])
  const monitor = (await handle(new Request('http://localhost/monitor'))).body!.getReader()
  assert.equal(new TextDecoder().decode((await monitor.read()).value), 'data: "OK"\n\n')
  await server.call('ECHO', 'hello')
  assert.match(new TextDecoder().decode((await monitor.read()).value), /^data: "[0-9.]+ \[0 .*echo.*hello/i)
  await monitor.cancel()
  await server.close()
})

test('a requester answers what @upstash/redis asks', async () => {
  const server = await createServer({ config: { requirepass: 'secret' } })
  const { request } = requester(server)
  assert.deepEqual(await request({ body: ['set', 'k', 'v'] }), { result: 'OK' })
  assert.deepEqual(
    await request({
      path: ['pipeline'],
      body: [
        ['get', 'k'],
        ['incr', 'k'],
      ],
    }),
    [{ result: 'v' }, { error: 'ERR value is not an integer or out of range' }],
  )
  await assert.rejects(request({ body: ['incr', 'k'] }), {
    name: 'UpstashError',
    message: /command was: \["incr","k"\]/,
  })
  const messages: string[] = []
  const got = new Promise<void>(resolve => {
    const onMessage = (data: string) => {
      if (messages.push(data) === 2) resolve()
    }
    void request({ path: ['subscribe', 'c'], body: [], isStreaming: true, onMessage })
  })
  while ((await server.call<number>('PUBLISH', 'c', 'hello')) === 0)
    await new Promise(resolve => void setImmediate(resolve))
  await got
  assert.deepEqual(messages, ['subscribe,c,1', 'message,c,hello'])
  await server.close()
})
