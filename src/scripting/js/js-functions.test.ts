// Functions in JavaScript: loaded, called, listed, kept and ended as those in Lua, and what their contexts keep out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from '../../index.ts'

type Client = ReturnType<Awaited<ReturnType<typeof createServer>>['client']>

async function withFunctions(work: (client: Client) => Promise<void>, config: object = {}): Promise<void> {
  await using server = await createServer({ config: { 'enable-js-functions': 'yes', ...config } })
  const client = server.client()
  await work(client)
  client.close()
}

const LIBRARY = `#!js name=lib
redis.register('add', (keys, args) => redis.call('INCRBY', keys[0], args[0]))
redis.register({
  name: 'read',
  description: 'reads a key',
  flags: ['no-writes'],
  callback: ([key]) => redis.call('GET', key),
})
redis.register('write_anyway', ([key]) => redis.call('SET', key, 'x'))
`

test('a library is loaded, listed, called, dumped, restored and deleted', async () => {
  await withFunctions(async client => {
    assert.equal(await client.call('FUNCTION LOAD', LIBRARY), 'lib')
    assert.equal(await client.call('FCALL', 'add', 1, 'k', 5), 5)
    assert.equal(await client.call('FCALL_RO', 'read', 1, 'k'), '5')
    await assert.rejects(client.call('FCALL_RO', 'add', 1, 'k', 5), /Can not execute a script with write flag/)
    const [library] = (await client.call('FUNCTION LIST')) as { engine: string; functions: { name: string }[] }[]
    assert.equal(library.engine, 'JS')
    assert.deepEqual(library.functions.map(one => one.name).sort(), ['add', 'read', 'write_anyway'])
    const stats = JSON.stringify(await client.call('FUNCTION STATS'))
    assert.match(stats, /"JS":\{"libraries_count":1,"functions_count":3\}/)
    assert.match(stats, /"LUA":\{"libraries_count":0,"functions_count":0\}/)
    const dump = await client.call('FUNCTION DUMP')
    assert.equal(typeof dump, 'string')
    await client.call('FUNCTION DELETE', 'lib')
    await assert.rejects(client.call('FCALL', 'add', 1, 'k', 5), /Function not found/)
  })
})

test('both languages stand side by side, and names are of both', async () => {
  await withFunctions(async client => {
    await client.call('FUNCTION LOAD', LIBRARY)
    const lua = (name: string) =>
      client.call('FUNCTION LOAD', `#!lua name=other\nredis.register_function('${name}', function() return 1 end)`)
    await assert.rejects(lua('ADD'), /Function ADD already exists/)
    await lua('one')
    assert.equal(await client.call('FCALL', 'one', 0), 1)
    assert.equal(await client.call('FCALL', 'add', 1, 'k', 1), 1)
  })
})

test('values of JavaScript become replies, and replies values', async () => {
  await withFunctions(async client => {
    const code = `#!js name=values
const results = {
  text: () => 'ä€',
  bytes: () => new Uint8Array([0, 255]),
  list: () => [1, 2.5, null, undefined, true, 10n],
  map: () => new Map([['a', 1]]),
  object: () => ({ b: [2] }),
  set: () => new Set([1]),
  status: () => redis.status('FINE'),
  error: () => redis.error('MINE it is'),
  thrown: () => { throw new Error('by hand') },
  command: () => redis.call('LPUSH', 'text', 1),
  caught: () => { try { redis.call('LPUSH', 'text', 1) } catch (error) { return error.message } },
  promise: async () => 1,
  deep: () => { let value = []; for (let i = 0; i < 1000; i++) value = [value]; return value },
  hash: () => redis.call('HGETALL', 'hash').f,
  members: () => redis.call('SMEMBERS', 'set'),
  score: () => redis.call('ZSCORE', 'zset', 'm') * 2,
  raw: () => redis.callBytes('GET', 'raw').length,
  keysAndArgs: (keys, args, bytes) => [...keys, ...args, bytes.args[0].length],
}
for (const [name, callback] of Object.entries(results)) redis.register(name, callback)
`
    await client.call('FUNCTION LOAD', code)
    await client.call('SET', 'text', 'x')
    await client.call('HSET', 'hash', 'f', 'v')
    await client.call('SADD', 'set', 'm')
    await client.call('ZADD', 'zset', 1.5, 'm')
    await client.call('SET', 'raw', new Uint8Array([255, 254, 253]))
    const run = (name: string, ...args: (string | number)[]) => client.call('FCALL', name, 0, ...args)
    assert.equal(await run('text'), 'ä€')
    assert.deepEqual(await run('list'), [1, 2.5, null, null, true, 10])
    assert.deepEqual(await run('map'), { a: 1 })
    assert.deepEqual(await run('object'), { b: [2] })
    assert.equal(await run('status'), 'FINE')
    await assert.rejects(run('error'), /^RedisError: MINE it is/)
    await assert.rejects(run('thrown'), /ERR by hand script: thrown, on @user_function:\d+\./)
    await assert.rejects(run('command'), /WRONGTYPE/)
    assert.match(String(await run('caught')), /^WRONGTYPE/)
    await assert.rejects(run('promise'), /returned a promise/)
    await assert.rejects(run('deep'), /nested too deeply/)
    assert.equal(await run('hash'), 'v')
    assert.deepEqual(await run('members'), ['m'])
    assert.equal(await run('score'), 3)
    assert.equal(await run('raw'), 3)
    assert.deepEqual(await run('keysAndArgs', 'ü'), ['ü', 2])
  })
})

test('a library that is wrong is refused, and nothing is left of it', async () => {
  await withFunctions(async client => {
    const load = (code: string) => client.call('FUNCTION LOAD', `#!js name=bad\n${code}`)
    await assert.rejects(load('redis.register('), /Error compiling function/)
    await assert.rejects(load('throw new Error("no")'), /Error registering functions: ERR no/)
    await assert.rejects(load('1'), /No functions registered/)
    await assert.rejects(load('redis.register("a b", () => 1)'), /Library names can only contain/)
    await assert.rejects(load('redis.register("a", () => 1); redis.register("a", () => 1)'), /already exists/)
    await assert.rejects(load('redis.register({ name: "a", flags: ["x"], callback() {} })'), /unknown flag/)
    await assert.rejects(load('redis.call("PING")'), /while a library is loaded/)
    await assert.rejects(load('for (;;);'), /FUNCTION LOAD timeout/)
    await assert.rejects(load('import("node:fs"); redis.register("a", () => 1)'), /cannot import/)
    assert.deepEqual(await client.call('FUNCTION LIST'), [])
    await client.call('FUNCTION LOAD', LIBRARY)
    assert.equal(await client.call('FCALL', 'add', 1, 'k', 1), 1)
  })
})

test('a function that takes long is busy for others, and can be killed', async () => {
  await using server = await createServer({
    config: { 'enable-js-functions': 'yes', 'busy-reply-threshold': 20 },
  })
  const [client, other] = [server.client(), server.client()]
  await client.call('FUNCTION LOAD', `${LIBRARY}redis.register('forever', () => { for (;;); })`)
  const endless = client.call('FCALL', 'forever', 0)
  await assert.rejects(other.call('GET', 'k'), /BUSY Redis is busy running a script/)
  assert.match(JSON.stringify(await other.call('FUNCTION STATS')), /"name":"forever"/)
  assert.equal(await other.call('FUNCTION KILL'), 'OK')
  await assert.rejects(endless, /Script killed by user/)
  assert.equal(await client.call('FCALL', 'add', 1, 'k', 2), 2)
})

test('time stands and random numbers repeat within a function', async () => {
  await withFunctions(async client => {
    const code = `#!js name=same
redis.register('time', () => { const a = Date.now(); for (let i = 0; i < 1e6; i++); return [Date.now() - a, new Date() - a] })
redis.register('random', () => \`\${Math.random()} \${Math.random()}\`)`
    await client.call('FUNCTION LOAD', code)
    assert.deepEqual(await client.call('FCALL', 'time', 0), [0, 0])
    const first = await client.call('FCALL', 'random', 0)
    assert.equal(await client.call('FCALL', 'random', 0), first)
  })
})

test('no way that is known leads out of a context', async () => {
  await withFunctions(async client => {
    const attempts = [
      `typeof process + typeof require + typeof Bun + typeof fetch + typeof setTimeout + typeof console`,
      `this === undefined ? 'undefined' : 'something'`,
      `redis.call.constructor('return process')()`,
      `redis.constructor.constructor('return process')()`,
      `(() => {}).constructor('return process')()`,
      `eval('process')`,
      `new Function('return process')()`,
      `(async () => {}).constructor('return process')()`,
      `(function* () {}).constructor('return process')()`,
      `(() => { try { redis.call(Symbol()) } catch (error) { return error.constructor.constructor('return process')() } })()`,
      `(() => { const f = () => { try { f() } catch (error) { redis.call('GET', 'k'); throw error } }
        try { f() } catch (error) { return error.constructor.constructor('return process')() } })()`,
      `(() => { Error.prepareStackTrace = (_, frames) => frames.map(one => typeof one.getThis()).join()
        return new Error().stack })()`,
      `redis.call({ toString() { return 'GET' } }, 'k')`,
      `(() => { redis.call = () => 1 })()`,
      `new WebAssembly.Module(new Uint8Array(8))`,
      `keys.constructor.constructor('return process')()`,
      `bytes.keys.constructor.constructor('return process')()`,
    ]
    const code = attempts.map((text, i) => `redis.register('f${i}', (keys, args, bytes) => String(${text}))`)
    await client.call('FUNCTION LOAD', `#!js name=attempts\n${code.join('\n')}`)
    for (const [i, text] of attempts.entries()) {
      const said = await client.call('FCALL', `f${i}`, 0).catch((error: Error) => error)
      if (!(said instanceof Error)) assert.doesNotMatch(String(said), /object|function/, text)
    }
    assert.equal(await client.call('FCALL', 'f0', 0), 'undefined'.repeat(6))
    assert.equal(await client.call('PING'), 'PONG')
  })
})

test('a library cannot harm the replies or another library', async () => {
  await withFunctions(async client => {
    await client
      .call(
        'FUNCTION LOAD',
        `#!js name=tampered
String.prototype.slice = () => 'x'
Array.prototype.push = () => 1
Object.entries = () => { throw 1 }
redis.register('broken', () => ({ a: 1 }))
redis.register('forged', () => ({ get constructor() { return 1 }, x: '*1000000000' }))`,
      )
      .catch(() => {})
    await client.call('FUNCTION LOAD', LIBRARY)
    for (const name of ['broken', 'forged']) await client.call('FCALL', name, 0).catch(() => {})
    assert.equal(await client.call('FCALL', 'add', 1, 'k', 3), 3)
    assert.deepEqual(await client.call('KEYS', '*'), ['k'])
  })
})

test('a function that logs without end is busy and can be killed, a library that does is not loaded', async () => {
  await using server = await createServer({
    config: { 'enable-js-functions': 'yes', 'busy-reply-threshold': 20 },
  })
  const [client, other] = [server.client(), server.client()]
  const flood = 'for (;;) redis.log("debug", "x")'
  await assert.rejects(client.call('FUNCTION LOAD', `#!js name=bad\n${flood}`), /FUNCTION LOAD timeout/)
  await client.call('FUNCTION LOAD', `${LIBRARY}redis.register('flood', () => { ${flood} })`)
  const endless = client.call('FCALL', 'flood', 0)
  await assert.rejects(other.call('GET', 'k'), /BUSY Redis is busy running a script/)
  assert.equal(await other.call('FUNCTION KILL'), 'OK')
  await assert.rejects(endless, /Script killed by user/)
})

test('counts and lengths that a library has forged are errors, and so is a result without end', async () => {
  await withFunctions(async client => {
    const lengths = ['2\\r\\n$-8', '-1', '1.5', 'x', '', '1\\r\\n$99']
    const code = lengths.map(
      (length, i) =>
        `redis.register('f${i}', () => new Proxy([], { get: (of, name) => name === 'length' ? '${length}' : of[name] }))`,
    )
    const large = `redis.register('large', () => 'x'.repeat(130 * 1024 * 1024))`
    await client.call('FUNCTION LOAD', `#!js name=forged\n${code.join('\n')}\n${large}`)
    for (const i of lengths.keys())
      await assert.rejects(client.call('FCALL', `f${i}`, 0), /result of the function cannot be read/, lengths[i])
    await assert.rejects(client.call('FCALL', 'large', 0), /the result is too large/)
    assert.equal(await client.call('ECHO', 'end'), 'end')
  })
})

test('effects are propagated, and the libraries are in files', async () => {
  await using server = await createServer({ config: { 'enable-js-functions': 'yes' } })
  const client = server.client()
  await client.call('FUNCTION LOAD', LIBRARY)
  await client.call('FCALL', 'add', 1, 'k', 5)
  await using other = await createServer({ config: { 'enable-js-functions': 'yes' }, data: await server.rdb() })
  const second = other.client()
  assert.equal(await second.call('FCALL', 'add', 1, 'k', 5), 10)
})

test('without the directive there is no such engine', async () => {
  await using server = await createServer()
  const client = server.client()
  await assert.rejects(client.call('FUNCTION LOAD', LIBRARY), /Engine 'js' not found/)
  assert.doesNotMatch(JSON.stringify(await client.call('FUNCTION STATS')), /JS/)
})
