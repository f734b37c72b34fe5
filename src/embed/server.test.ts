import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer, type EmbeddedServer } from '../index.ts'

/** The replies to one inline command or several, as text. */
function ask(server: EmbeddedServer, text: string): string {
  const socket = server.connect()
  let replies = ''
  socket.onData = bytes => {
    replies += new TextDecoder('latin1').decode(bytes)
  }
  socket.write(`${text}\r\n`)
  socket.close()
  return replies
}

function bulk(text: string): string {
  return `$${new TextEncoder().encode(text).length}\r\n${text}\r\n`
}

function values(reply: string): string {
  return reply.split('\r\n').slice(4, 5).join('')
}

const turn = () => new Promise(resolve => void setImmediate(resolve))

test('without a folder nothing is loaded and nothing is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-embed-'))
  const before = process.cwd()
  process.chdir(folder)
  try {
    writeFileSync('dump.rdb', 'not a dump')
    const first = await createServer({ config: { appendonly: true } })
    assert.equal(ask(first, 'SET k v'), '+OK\r\n')
    assert.equal(ask(first, 'SAVE'), '+OK\r\n')
    await first.close()
    const second = await createServer()
    assert.equal(ask(second, 'DBSIZE'), ':0\r\n')
    await second.close()
    assert.equal(existsSync('appendonlydir'), false)
    assert.equal(existsSync('dump.rdb.lock'), false)
  } finally {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
})

test('with a folder the dataset is there again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'redstart-embed-'))
  try {
    const first = await createServer({ dir })
    ask(first, 'SET k v')
    await first.close()
    const second = await createServer({ dir })
    assert.equal(ask(second, 'GET k'), bulk('v'))
    await second.close()
    assert.ok(existsSync(join(dir, 'dump.rdb')))
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('a value is taken as it is, never read as text of a file', async () => {
  for (const password of ['two words', 'a"b', "it's", 'x\nmaxclients 3', ' lead', 'grün']) {
    const server = await createServer({ config: { requirepass: password, maxclients: 7 } })
    const socket = server.connect()
    let replies = ''
    socket.onData = bytes => {
      replies += new TextDecoder().decode(bytes)
    }
    const length = new TextEncoder().encode(password).length
    socket.write(`*2\r\n$4\r\nAUTH\r\n$${length}\r\n${password}\r\nCONFIG GET requirepass\r\nCONFIG GET maxclients\r\n`)
    for (let turns = 100; turns > 0 && !replies.endsWith('7\r\n'); turns--) await turn()
    assert.equal(replies, `+OK\r\n*2\r\n${bulk('requirepass')}${bulk(password)}*2\r\n${bulk('maxclients')}${bulk('7')}`)
    await server.close()
  }
})

test('values are typed, and names may be in camelCase', async () => {
  const server = await createServer({
    config: {
      maxmemoryPolicy: 'allkeys-lru',
      databases: 4,
      'lazyfree-lazy-user-del': true,
      notifyKeyspaceEvents: 'Ex',
      save: [],
      'client-output-buffer-limit': ['normal', 0, 0, 0],
      'rename-command': { FLUSHALL: '' },
      user: [['alice', 'on', '>two words', '~*', '+@all']],
    },
  })
  assert.equal(values(ask(server, 'CONFIG GET maxmemory-policy')), 'allkeys-lru')
  assert.equal(values(ask(server, 'CONFIG GET databases')), '4')
  assert.equal(values(ask(server, 'CONFIG GET lazyfree-lazy-user-del')), 'yes')
  assert.match(ask(server, 'FLUSHALL'), /^-ERR unknown command/)
  assert.equal(ask(server, '*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$9\r\ntwo words'), '+OK\r\n')
  await server.close()
})

test('what is not known is an error with the nearest name', async () => {
  const wrong = (options: object) => createServer(options)
  await assert.rejects(wrong({ config: { maxmemry: 1 } }), /no directive 'maxmemry'; the nearest is 'maxmemory'/)
  await assert.rejects(
    wrong({ config: { maxmemory: 'lots' } }),
    /maxmemory: argument must be a memory value, not "lots"/,
  )
  await assert.rejects(wrong({ config: { appendonly: 1 } }), /appendonly: argument must be 'yes' or 'no', not 1/)
  await assert.rejects(wrong({ config: { databases: undefined, hz: {} } }), /hz: argument must be a string/)
  await assert.rejects(wrong({ confg: {} }), /no option 'confg'; the nearest is 'config'/)
  await assert.rejects(wrong({ clock: 'real' }), /clock is 'global' or 'virtual', not real/)
  await assert.rejects(wrong({ dir: '/no/such/folder' }), /dir: No such file or directory, not "\/no\/such\/folder"/)
})

test('a closed server takes no connections', async () => {
  const server = await createServer()
  await server.close()
  await server.close()
  assert.throws(() => server.connect(), /the server is closed/)
  await assert.rejects(server.listen(), /the server is closed/)
  const shut = await createServer()
  ask(shut, 'SHUTDOWN NOSAVE')
  await turn()
  assert.throws(() => shut.connect(), /the server is closed/)
})

test('url is what a client connects to', async () => {
  const server = await createServer({ config: { requirepass: 'p@ss word' } })
  assert.throws(() => server.url, /call listen\(\) first/)
  const port = await server.listen()
  assert.equal(server.url, `redis://:p%40ss%20word@127.0.0.1:${port}`)
  await assert.rejects(server.listen(70000), /not a port/)
  await server.close()
})

test('a refused connection hears why', async () => {
  const server = await createServer({ config: { maxclients: 1 } })
  const first = server.connect()
  const second = server.connect()
  let heard = ''
  let closed = 0
  second.onData = bytes => {
    heard += new TextDecoder().decode(bytes)
  }
  second.onClose = () => closed++
  await turn()
  assert.deepEqual([heard, closed], ['-ERR max number of clients reached\r\n', 1])
  first.close()
  await server.close()
})

test('a paused connection keeps its output in the server, within the limit', async () => {
  const server = await createServer({ config: { clientOutputBufferLimit: ['normal', '1mb', 0, 0] } })
  const slow = server.connect()
  let bytes = 0
  let closed = 0
  slow.onData = piece => {
    bytes += piece.length
  }
  slow.onClose = () => closed++
  ask(server, `SET k ${'x'.repeat(10_000)}`)
  slow.pause()
  slow.write('GET k\r\n')
  slow.write('GET k\r\n')
  await turn()
  assert.equal(bytes, 0)
  slow.resume()
  assert.equal(bytes, 2 * bulk('x'.repeat(10_000)).length)
  slow.pause()
  slow.write('GET k\r\n'.repeat(200))
  for (let turns = 100; turns > 0 && closed === 0; turns--) await turn()
  assert.equal(closed, 1)
  await server.close()
})

test('write takes a string or bytes, nothing else', async () => {
  const server = await createServer()
  const socket = server.connect()
  let heard = ''
  socket.onData = bytes => {
    heard += new TextDecoder().decode(bytes)
  }
  assert.equal(socket.write('ECHO grün\r\n'), true)
  assert.equal(heard, bulk('grün'))
  assert.throws(() => socket.write(7 as unknown as string), /bytes or a string, not number/)
  await server.close()
})

test('a server is disposed of', async () => {
  const server = await createServer()
  await server[Symbol.asyncDispose]()
  assert.throws(() => server.connect(), /the server is closed/)
})

test('a Unix socket beside a port', { skip: process.platform === 'win32' ? 'no Unix sockets' : false }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-embed-'))
  const path = join(folder, 'socket')
  const server = await createServer()
  assert.equal(await server.listen({ path }), 0)
  const client = connect(path)
  client.write('PING\r\n')
  const reply = await new Promise(resolve => void client.once('data', resolve))
  assert.equal(String(reply), '+PONG\r\n')
  client.destroy()
  await server.close()
  rmSync(folder, { recursive: true })
})

test('a server ends by the names that compilers of `await using` look for', async () => {
  const server = await createServer()
  const key: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')
  await server[key]()
  assert.equal(server.isClosed, true)
})
