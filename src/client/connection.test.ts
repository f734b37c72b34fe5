import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Peer, sent } from '../../test/harness/peer.ts'
import { latin1Text } from '../lib/bytes.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import { NetworkError } from '../system/network.ts'
import { Connection, type ConnectionOptions, type ReplyHandler, writeWords } from './connection.ts'
import { type CloseReason, errorOf } from './errors.ts'

/** A connection to a peer, and the calls of its owner and its handlers, in order. */
function connect(options: Partial<ConnectionOptions> = {}, afterMs = 0) {
  const peer = new Peer()
  peer.connectMs = afterMs
  const heard: string[] = []
  const told = ({ kind, text }: CloseReason) => `${kind} ${text}`.trim()
  const connection = new Connection(
    peer.system,
    { address: { host: 'db', port: 1 }, ...options },
    {
      ready: () => heard.push('ready'),
      pushed: ({ items }) => heard.push(`push ${items.join(' ')}`),
      drained: () => heard.push('drained'),
      closed: reason => heard.push(told(reason)),
    },
  )
  const handler = (name: string, then: (value: Value) => void = () => {}): ReplyHandler => ({
    reply: value => {
      heard.push(`${name} ${value instanceof ReplyError ? `-${value.text}` : String(value)}`)
      then(value)
    },
    closed: reason => heard.push(`${name} ${told(reason)}`),
  })
  const send = (name: string, ...commands: string[]) => {
    for (const command of commands) writeWords(connection.out, command.split(' '))
    connection.expect(commands.length, handler(name))
    connection.flush()
  }
  const take = () => heard.splice(0)
  return { peer, connection, handler, send, take, settle: () => peer.machine.advance(0) }
}

test('AUTH, HELLO and SELECT are sent first, and commands written before come behind them', () => {
  const { peer, connection, send, take, settle } = connect({ user: 'me', password: 'x', protocol: 3, database: 2 })
  send('a', 'GET 1', 'GET 2')
  assert.equal(connection.state, 'dialling')
  settle()
  assert.equal(peer.link.take(), sent('AUTH me x', 'HELLO 3', 'SELECT 2'))
  peer.link.say('+OK\r\n%1\r\n+server\r\n+redis\r\n')
  assert.equal(connection.state, 'greeting')
  assert.deepEqual(take(), [])
  peer.link.say('+OK\r\n')
  assert.equal(peer.link.take(), sent('GET 1', 'GET 2'))
  peer.link.say(':1\r\n:2\r\n')
  assert.deepEqual(take(), ['ready', 'a 1', 'a 2'])
})

test('a connection without a password or database is ready at once', () => {
  const { peer, send, take, settle } = connect()
  settle()
  send('a', 'GET 1')
  assert.equal(peer.link.take(), sent('GET 1'))
  assert.deepEqual(take(), ['ready'])
})

test('replies go to who awaits them, in the order of the commands, however they come', () => {
  for (const piece of [1, 3, 100]) {
    const { peer, send, take, settle } = connect()
    settle()
    send('a', 'GET 1', 'GET 2')
    send('b', 'GET 3')
    const wire = '$2\r\nxy\r\n-ERR no\r\n>2\r\n+news\r\n+x\r\n:3\r\n'
    for (let at = 0; at < wire.length; at += piece) peer.link.say(wire.slice(at, at + piece))
    assert.deepEqual(take(), ['ready', 'a 120,121', 'a -ERR no', 'push news x', 'b 3'])
  }
})

test('an error in the greeting, no connection, no RESP and a reply to nothing end it, with a reason each', () => {
  const cases: [string, (c: ReturnType<typeof connect>) => void, Partial<ConnectionOptions>?][] = [
    ['refused WRONGPASS no', ({ peer }) => peer.link.say('-WRONGPASS no\r\n'), { password: 'x' }],
    ['refused ERR db', ({ peer }) => peer.link.say('-ERR db\r\n'), { database: 99 }],
    ['protocol the server answers what is no Redis protocol', ({ peer }) => peer.link.say('HTTP')],
    ['lost Connection reset by peer', ({ peer }) => peer.link.breaks('Connection reset by peer')],
    ['lost', ({ peer }) => peer.link.breaks()],
  ]
  for (const [expected, happen, options] of cases) {
    const c = connect(options)
    c.settle()
    c.send('a', 'GET 1')
    c.take()
    happen(c)
    assert.deepEqual(c.take(), [`a ${expected}`, expected])
    assert.equal(c.connection.state, 'closed')
    assert.ok(c.peer.link.closed)
  }
  const idle = connect()
  idle.settle()
  idle.peer.link.say('+OK\r\n')
  assert.deepEqual(idle.take(), ['ready', 'protocol a reply that nobody asked for'])
  const nowhere = connect()
  nowhere.peer.refuses = new NetworkError('ECONNREFUSED')
  nowhere.settle()
  assert.deepEqual(nowhere.take(), ['unreachable Connection refused'])
})

test('a server that takes too long to connect to is not reached', () => {
  const { peer, take } = connect({ connectMs: 100 }, 5000)
  peer.machine.advance(99)
  assert.deepEqual(take(), [])
  peer.machine.advance(1)
  assert.deepEqual(take(), ['unreachable Connection timed out'])
})

test('a server is given up when it is silent too long while something is awaited, and only then', () => {
  const { peer, connection, send, take, settle } = connect({ silenceMs: 1000 })
  settle()
  take()
  peer.machine.advance(5000)
  send('a', 'GET 1', 'GET 2')
  peer.machine.advance(900)
  peer.link.say(':1\r\n')
  peer.machine.advance(900)
  peer.link.say(':2\r\n')
  peer.machine.advance(5000)
  assert.deepEqual(take(), ['a 1', 'a 2'])
  send('b', 'GET 3')
  peer.machine.advance(900)
  connection.pause()
  peer.machine.advance(5000)
  connection.resume()
  peer.machine.advance(900)
  assert.deepEqual(take(), [])
  send('c', 'GET 4')
  peer.machine.advance(99)
  assert.deepEqual(take(), [])
  peer.link.say(':3\r\n')
  assert.deepEqual(take(), ['b 3'])
  connection.setSilence(50)
  peer.machine.advance(49)
  assert.deepEqual(take(), [])
  peer.machine.advance(1)
  assert.deepEqual(take(), ['c timeout no answer for 50 ms', 'timeout no answer for 50 ms'])
})

test('a first command without an answer is a silence', () => {
  const { peer, send, take, settle } = connect({ silenceMs: 1000 })
  settle()
  send('a', 'GET 1')
  peer.machine.advance(999)
  assert.deepEqual(take(), ['ready'])
  peer.machine.advance(1)
  assert.deepEqual(take(), ['a timeout no answer for 1000 ms', 'timeout no answer for 1000 ms'])
})

test('time to connect is no silence, a greeting without an answer is', () => {
  const { peer, send, take } = connect({ silenceMs: 100, password: 'x' }, 1000)
  send('a', 'GET 1')
  peer.machine.advance(1099)
  assert.deepEqual(take(), [])
  assert.equal(peer.link.take(), sent('AUTH x'))
  peer.machine.advance(1)
  assert.deepEqual(take(), ['a timeout no answer for 100 ms', 'timeout no answer for 100 ms'])
})

test('close() notifies handlers that await replies, not the owner', () => {
  const { peer, connection, send, take, settle, handler } = connect()
  settle()
  send('a', 'GET 1')
  take()
  connection.close()
  assert.deepEqual(take(), ['a closed'])
  assert.ok(peer.link.closed)
  connection.expect(1, handler('b'))
  assert.equal(connection.flush(), true)
  peer.link.say(':1\r\n')
  assert.deepEqual(take(), ['b closed'])
})

test('a connection that comes about after close() is closed at once', () => {
  const { peer, connection, take, settle } = connect()
  connection.close()
  settle()
  assert.ok(peer.link.closed)
  assert.deepEqual(take(), [])
})

test('handlers may send, and close, while replies are read, also when the answer comes within the write', () => {
  const { peer, connection, handler, take, settle } = connect()
  settle()
  let n = 0
  peer.link.onWrite = text => {
    for (const _ of text.matchAll(/PING/g)) peer.link.say(`:${++n}\r\n`)
  }
  const again = (left: number) => {
    writeWords(connection.out, ['PING'])
    connection.expect(
      1,
      handler(`${left}`, () => left > 0 && again(left - 1)),
    )
    connection.flush()
  }
  again(3)
  assert.deepEqual(take(), ['ready', '3 1', '2 2', '1 3', '0 4'])
  connection.expect(
    3,
    handler('c', () => connection.close()),
  )
  peer.link.say(':1\r\n:2\r\n:3\r\n')
  assert.deepEqual(take(), ['c 1', 'c closed'])
})

test('from the reply after which it is taken over, every byte goes to the sink', () => {
  const { peer, connection, handler, take, settle } = connect()
  settle()
  let raw = ''
  connection.expect(
    1,
    handler('psync', () =>
      connection.takeOver(bytes => {
        raw += latin1Text(bytes)
      }),
    ),
  )
  peer.link.say('+FULLRESYNC\r\n$3\r\nab')
  peer.link.say('cHTTP')
  assert.equal(raw, '$3\r\nabcHTTP')
  writeWords(connection.out, ['ACK'])
  connection.flush()
  assert.equal(peer.link.take(), sent('ACK'))
  peer.link.breaks()
  assert.deepEqual(take(), ['ready', 'psync FULLRESYNC', 'lost'])
})

test('flush() says whether the socket takes more, drained() when it does again', () => {
  const { peer, connection, take, settle } = connect()
  settle()
  peer.link.takes = false
  writeWords(connection.out, ['SET', 'a', '1'])
  assert.equal(connection.flush(), false)
  assert.equal(connection.writable, false)
  peer.link.takes = true
  peer.link.outgoing.onDrain()
  assert.deepEqual([connection.writable, ...take()], [true, 'ready', 'drained'])
})

test('reasons are errors that name the server, for who awaits', () => {
  const text = (reason: CloseReason) => `${errorOf(reason, 'db').constructor.name}: ${errorOf(reason, 'db').message}`
  const cases: [CloseReason, string][] = [
    [{ kind: 'unreachable', text: 'Connection refused' }, 'ConnectionLost: cannot connect to db: Connection refused'],
    [{ kind: 'lost', text: '' }, 'ConnectionLost: the connection to db broke'],
    [{ kind: 'timeout', text: 'no answer' }, 'ConnectionLost: the connection to db broke: no answer'],
    [{ kind: 'refused', text: 'WRONGPASS', command: 'AUTH' }, 'ServerRefused: db refuses the password: WRONGPASS'],
    [{ kind: 'refused', text: 'LOADING', command: 'PING' }, 'ServerRefused: db answers: LOADING'],
    [{ kind: 'noReplica', text: 'NOPERM no' }, 'ReplicationRefused: NOPERM no'],
  ]
  for (const [reason, expected] of cases) assert.equal(text(reason), expected)
  assert.match(text({ kind: 'refused', text: 'NOAUTH', command: 'PING' }), /^ServerRefused: db wants a password/)
})
