import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Peer, sent } from '../../test/harness/peer.ts'
import { latin1Text } from '../lib/bytes.ts'
import { type LinkOptions, PrimaryLink } from './primary-link.ts'

const ID = 'a'.repeat(40)
const MARK = '0123456789abcdef0123456789abcdef01234567'
const PLAIN = ['REPLCONF listening-port 0', 'REPLCONF capa eof capa psync2']

/** A link to a peer, and the calls of its target in order. `loads`: it calls loaded() at once. */
function open(options: Partial<LinkOptions> = {}, loads = true) {
  const peer = new Peer()
  const heard: string[] = []
  const progress: { applied?: number; synced?: number } = {}
  const link = new PrimaryLink(
    peer.system,
    { address: { host: 'primary', port: 1 }, ...options },
    {
      opened: ({ id, offset, continued }) => heard.push(`${continued ? 'continued' : 'opened'} ${id} ${offset}`),
      rdbBegins: bytes => heard.push(`begins ${bytes}`),
      rdb: bytes => heard.push(`rdb ${latin1Text(bytes)}`),
      rdbEnds: ended => {
        heard.push('ends')
        if (loads) ended.loaded()
      },
      stream: bytes => heard.push(`stream ${latin1Text(bytes)}`),
      closed: ({ kind, text }) => heard.push(`${kind} ${text}`),
      appliedOffset: () => progress.applied ?? link.offset,
      syncedOffset: () => progress.synced,
    },
  )
  const take = () => heard.splice(0)
  peer.machine.advance(0)
  /** The handshake up to PSYNC. */
  const greet = (steps = 2) => {
    peer.link.say('+PONG\r\n')
    peer.link.say('+OK\r\n'.repeat(steps))
    return peer.link.take()
  }
  return { peer, link, progress, take, greet }
}

test('the handshake is sent step by step, and errors in reply to REPLCONF are ignored', () => {
  const { peer, link } = open({
    user: 'u',
    password: 'p',
    port: 7000,
    announcedAddress: '10.0.0.1',
    version: '7.2.4',
    rdbOnly: true,
  })
  const states: string[] = [link.state]
  assert.equal(peer.link.take(), sent('PING'))
  peer.link.say('-NOAUTH Authentication required.\r\n')
  assert.equal(
    peer.link.take(),
    sent(
      'AUTH u p',
      'REPLCONF listening-port 7000',
      'REPLCONF ip-address 10.0.0.1',
      'REPLCONF capa eof capa psync2',
      'REPLCONF version 7.2.4',
      'REPLCONF rdb-only 1',
    ),
  )
  for (const reply of ['+OK', '+OK', '-ERR Unrecognized REPLCONF option: ip-address', '+OK', '-ERR no', '+OK']) {
    states.push(link.state)
    peer.link.say(`${reply}\r\n`)
  }
  states.push(link.state)
  assert.deepEqual(states, ['ping', 'auth', 'port', 'address', 'capa', 'version', 'rdbOnly', 'psync'])
  assert.equal(peer.link.take(), sent('PSYNC ? -1'))
  const plain = open()
  assert.equal(plain.greet(), sent('PING', ...PLAIN, 'PSYNC ? -1'))
})

test('an error in reply to PING, AUTH or PSYNC ends the link with a reason of its own', () => {
  const cases: [string, string][] = [
    ['-LOADING Redis is loading\r\n', 'refused LOADING Redis is loading'],
    ['+PONG\r\n-WRONGPASS no\r\n', 'refused WRONGPASS no'],
    ['+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-NOPERM no\r\n', 'noReplica NOPERM no'],
    ['+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-NOMASTERLINK no\r\n', 'noReplica NOMASTERLINK no'],
    [`+PONG\r\n*9\r\n$65536\r\n`, 'protocol the server answers more than is allowed'],
    ['HTTP/1.1 400\r\n', 'protocol the server answers what is no Redis protocol'],
  ]
  for (const [wire, expected] of cases) {
    const { peer, link, take } = open({ password: 'p' })
    for (const reply of wire.split(/(?<=\n)/)) peer.link.say(reply)
    assert.deepEqual(take(), [expected])
    assert.equal(link.state, 'closed')
    assert.ok(peer.link.closed)
  }
})

for (const piece of [1, 5, 1000])
  test(`the dataset comes, then the stream, counted as the primary counts it: in pieces of ${piece}`, () => {
    const { peer, link, take, greet } = open()
    greet()
    const say = (wire: string) => {
      for (let at = 0; at < wire.length; at += piece) peer.link.say(wire.slice(at, at + piece))
    }
    say(`\n\n+FULLRESYNC ${ID} 1000\r\n\n$5\r\nREDIS`)
    say('+one')
    const heard = take()
    assert.deepEqual(heard.slice(0, 2), [`opened ${ID} 1000`, 'begins 5'])
    const texts = (name: string) => heard.filter(line => line.startsWith(name)).map(line => line.slice(name.length))
    assert.equal(texts('rdb ').join(''), 'REDIS')
    assert.equal(texts('stream ').join(''), '+one')
    assert.deepEqual([link.state, link.offset, link.continued], ['stream', 1004, false])
    assert.match(peer.link.take(), /^\*3\r\n\$8\r\nREPLCONF\r\n\$3\r\nACK\r\n\$4\r\n1000\r\n$/)
  })

test('a dataset without a length ends with its mark', () => {
  const { peer, take, greet } = open()
  greet()
  peer.link.say(`+FULLRESYNC ${ID} 0\r\n$EOF:${MARK}\r\nREDIS`)
  peer.link.say(MARK)
  peer.link.say('+x')
  assert.deepEqual(take(), [`opened ${ID} 0`, 'begins -1', 'rdb REDIS', 'ends', 'stream +x'])
})

test('a partial resynchronisation goes on behind the offset, also under a new replication ID', () => {
  for (const [reply, id] of [
    ['+CONTINUE', ID],
    [`+CONTINUE ${'b'.repeat(40)}`, 'b'.repeat(40)],
  ]) {
    const { peer, link, take, greet } = open({ from: { id: ID, offset: 99 } })
    assert.equal(greet(), sent('PING', ...PLAIN, `PSYNC ${ID} 100`))
    peer.link.say(`${reply}\r\n*1`)
    assert.deepEqual(take(), [`continued ${id} 99`, 'stream *1'])
    assert.equal(link.offset, 101)
  }
})

test('SYNC is sent where PSYNC is unknown, also when the answer comes within the write', () => {
  const { peer, link, take, greet } = open()
  greet()
  peer.link.onWrite = text => {
    if (text === 'SYNC\r\n') peer.link.say('$2\r\nab+x')
  }
  peer.link.say("-ERR unknown command 'PSYNC'\r\n")
  assert.deepEqual(take(), ['opened  0', 'begins 2', 'rdb ab', 'ends', 'stream +x'])
  assert.deepEqual([link.id, link.offset], ['', 2])
  const none = open()
  none.greet()
  none.peer.link.say('-ERR unknown command\r\n')
  none.peer.link.say('-ERR unknown command\r\n')
  assert.deepEqual(none.take(), ['opened  0', 'noReplica ERR unknown command'])
})

test('the primary gets a line feed or an ACK once a second, and an ACK on demand', () => {
  const { peer, link, progress, greet } = open()
  greet()
  peer.link.say(`+FULLRESYNC ${ID} 10\r\n$2\r\n`)
  peer.machine.advance(2500)
  assert.equal(peer.link.take(), '\n\n')
  peer.link.say('ab')
  assert.equal(peer.link.take(), sent('REPLCONF ACK 10'))
  peer.link.say('12345')
  peer.machine.advance(1000)
  assert.equal(peer.link.take(), sent('REPLCONF ACK 15'))
  Object.assign(progress, { applied: 12, synced: 11 })
  link.acknowledge()
  assert.equal(peer.link.take(), sent('REPLCONF ACK 12 FACK 11'))
  link.close()
  peer.machine.advance(5000)
  assert.equal(peer.link.take(), '')
})

test('while the target loads nothing is read, and nothing is lost', () => {
  const { peer, link, take, greet } = open({ silenceMs: 3000 }, false)
  greet()
  peer.link.say(`+FULLRESYNC ${ID} 0\r\n$2\r\nab+one`)
  peer.link.say('+two')
  assert.deepEqual([link.state, peer.link.paused], ['loading', true])
  peer.machine.advance(10_000)
  assert.match(peer.link.take(), /^\n{10}$/)
  assert.deepEqual(take(), [`opened ${ID} 0`, 'begins 2', 'rdb ab', 'ends'])
  link.loaded()
  assert.equal(peer.link.take(), sent('REPLCONF ACK 0'))
  assert.equal(peer.link.paused, false)
  assert.deepEqual([...take(), link.offset], ['stream +one', 'stream +two', 8])
  peer.machine.advance(3000)
  assert.deepEqual(take(), ['timeout no answer for 3000 ms'])
})

test('a target that closes the link gets no further call, wherever it does', () => {
  const wire = `+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC ${ID} 0\r\n$EOF:${MARK}\r\nREDIS${MARK}`
  for (const at of ['opened', 'rdbBegins', 'rdb', 'rdbEnds', 'stream']) {
    const peer = new Peer()
    const heard: string[] = []
    const hear = (name: string) => {
      heard.push(name)
      if (name === 'rdbEnds') link.loaded()
      if (name === at) link.close()
    }
    const link: PrimaryLink = new PrimaryLink(
      peer.system,
      { address: { host: 'primary', port: 1 } },
      {
        opened: () => hear('opened'),
        rdbBegins: () => hear('rdbBegins'),
        rdb: () => hear('rdb'),
        rdbEnds: () => hear('rdbEnds'),
        stream: () => hear('stream'),
        closed: () => hear('closed'),
      },
    )
    peer.machine.advance(0)
    peer.link.say(wire)
    peer.link.say('+x')
    peer.machine.advance(5000)
    assert.equal(heard[heard.length - 1], at)
    assert.equal(heard.indexOf(at), heard.length - 1)
    assert.equal(link.state, 'closed')
  }
})
