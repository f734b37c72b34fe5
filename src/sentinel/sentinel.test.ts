import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualSystem } from '../system/virtual.ts'
import { linesOf, readLines } from './configuration.ts'
import { electedLeader, vote } from './election.ts'
import { bestReplica, runFailover, startFailover } from './failover.ts'
import { askPeers, checkObjectivelyDown } from './failure.ts'
import { processHello } from './hello.ts'
import { refresh } from './info-report.ts'
import {
  FAILOVER_IN_PROGRESS,
  FORCE_FAILOVER,
  O_DOWN,
  type Peer,
  PRIMARY_DOWN,
  PROMOTED,
  type Primary,
  S_DOWN,
} from './instance.ts'
import type { OnReply } from './link.ts'
import { Sentinel } from './sentinel.ts'

const ME = 'a'.repeat(40)
const OTHER = 'b'.repeat(40)
const THIRD = 'c'.repeat(40)

/** A sentinel on a virtual machine; `said` collects events, `saves` counts writes of its state. */
function sentinelAlone() {
  const machine = virtualSystem()
  const { clock, network, timers } = machine.system
  const said: string[] = []
  const state = { saves: 0, failure: undefined as string | undefined, executable: false }
  const sentinel = new Sentinel({
    system: { clock, network, timers },
    nowMs: () => clock.monotonicUs() / 1000 + 1e9,
    wallMs: () => clock.nowMs(),
    random: () => 0,
    log: () => {},
    logLevel: () => 'notice',
    setLogLevel: () => {},
    publish: (channel, message) => void said.push(`${channel} ${message}`),
    save() {
      state.saves++
      return state.failure
    },
    port: () => 26379,
    password: () => '',
    spawn: () => undefined,
    isExecutable: () => state.executable,
    crash: () => {
      throw new Error('crashed')
    },
  })
  sentinel.id = ME
  return { sentinel, said, state, machine }
}

function withPrimary(quorum = 2) {
  const alone = sentinelAlone()
  const primary = alone.sentinel.addPrimary('mymaster', '10.0.0.1', 6379, quorum) as Primary
  return { ...alone, primary }
}

function read(sentinel: Sentinel, text: string): string | undefined {
  const lines = text.split('\n').map((line, index) => ({ words: line.split(' '), line: index + 1, text: line }))
  const refused = readLines(sentinel, lines)
  return refused && `${refused[0].line}: ${refused[1]}`
}

function written(sentinel: Sentinel): string[] {
  return [...linesOf(sentinel).values()].flatMap(lines => lines.filter(({ needed }) => needed).map(({ text }) => text))
}

test('the configuration is read in any order, and what is written is read again', () => {
  const { sentinel, state } = sentinelAlone()
  state.executable = true
  const text = [
    `known-sentinel mymaster 10.0.0.9 26379 ${OTHER}`,
    'down-after-milliseconds mymaster 5000',
    'known-replica mymaster 10.0.0.2 6379',
    'monitor mymaster 10.0.0.1 6379 2',
    'failover-timeout mymaster 60000',
    'parallel-syncs mymaster 3',
    'auth-pass mymaster secret',
    'auth-user mymaster watcher',
    'rename-command mymaster CONFIG guarded',
    'notification-script mymaster /bin/true',
    'client-reconfig-script mymaster /bin/false',
    'master-reboot-down-after-period mymaster 700',
    'config-epoch mymaster 7',
    'leader-epoch mymaster 9',
    'current-epoch 11',
    'deny-scripts-reconfig no',
    'announce-ip 10.9.9.9',
    'announce-port 7000',
    'sentinel-user peer',
    'sentinel-pass word',
    `myid ${THIRD}`,
  ].join('\n')
  assert.equal(read(sentinel, text), undefined)
  const lines = written(sentinel)
  assert.deepEqual(new Set(lines), new Set(text.split('\n').map(line => `sentinel ${line}`)))
  const again = sentinelAlone()
  again.state.executable = true
  assert.equal(read(again.sentinel, lines.map(line => line.slice('sentinel '.length)).join('\n')), undefined)
  assert.deepEqual(written(again.sentinel), lines)
})

test('invalid lines are refused with the number of the line', () => {
  const cases: [string, string][] = [
    ['monitor m 10.0.0.1 6379 0', '1: Quorum must be 1 or greater.'],
    ['monitor m 10.0.0.1 65536 1', '1: Invalid port number.'],
    ['monitor m example.org 6379 1', "1: Can't resolve instance hostname."],
    ['monitor m 10.0.0.1 6379 1\nmonitor m 10.0.0.2 6379 1', '2: Duplicate master name.'],
    ['auth-pass m secret', '1: No such master with specified name.'],
    [
      'monitor m 10.0.0.1 6379 1\nknown-replica m 1.1.1.1 1\nknown-slave m 1.1.1.1 1',
      '3: Duplicate hostname and port for replica.',
    ],
    [
      'monitor m 10.0.0.1 6379 1\nnotification-script m /none',
      '2: Notification script seems non existing or non executable.',
    ],
    ['monitor m 10.0.0.1 6379 1\ndown-after-milliseconds m 0', '2: negative or zero time parameter.'],
    ['myid 123', '1: Malformed Sentinel id in myid option.'],
    ['resolve-hostnames maybe', '1: Please specify yes or no for the resolve-hostnames option.'],
    ['nonsense m 1', '1: Unrecognized sentinel configuration statement.'],
    ['monitor m 10.0.0.1 6379', '1: Unrecognized sentinel configuration statement.'],
  ]
  for (const [text, expected] of cases) assert.equal(read(sentinelAlone().sentinel, text), expected, text)
})

test('a sentinel votes once in an epoch, and saves its vote', () => {
  const { sentinel, primary, state } = withPrimary()
  vote(sentinel, primary, 5, OTHER)
  assert.deepEqual([primary.leader, primary.leaderEpoch, sentinel.currentEpoch], [OTHER, 5, 5])
  assert.equal(state.saves, 2)
  vote(sentinel, primary, 5, THIRD)
  vote(sentinel, primary, 4, THIRD)
  assert.deepEqual([primary.leader, primary.leaderEpoch], [OTHER, 5])
  vote(sentinel, primary, 6, THIRD)
  assert.deepEqual([primary.leader, primary.leaderEpoch], [THIRD, 6])
})

test('the leader has the majority of all known sentinels and the quorum', () => {
  const { sentinel, primary } = withPrimary(3)
  const peers = [OTHER, THIRD, 'd'.repeat(40), 'e'.repeat(40)].map(
    (id, i) => sentinel.addPeer(primary, id, `10.0.1.${i}`, 26379) as Peer,
  )
  primary.flags |= O_DOWN | FAILOVER_IN_PROGRESS
  sentinel.currentEpoch = 3
  assert.equal(electedLeader(sentinel, primary), undefined)
  assert.equal(primary.leader, ME, 'it votes for itself when nobody has votes')
  peers[0].leader = ME
  peers[0].leaderEpoch = 3
  peers[1].leader = ME
  peers[1].leaderEpoch = 2
  assert.equal(electedLeader(sentinel, primary), undefined, 'two of five, and a vote of another epoch')
  peers[1].leaderEpoch = 3
  assert.equal(electedLeader(sentinel, primary), ME)
  primary.settings.quorum = 4
  assert.equal(electedLeader(sentinel, primary), undefined)
})

test('a failover has the epoch in which it was elected, which another try may have raised since it began', () => {
  const { sentinel, primary } = withPrimary(1)
  const peer = sentinel.addPeer(primary, OTHER, '10.0.1.1', 26379) as Peer
  primary.flags |= O_DOWN
  startFailover(sentinel, primary)
  runFailover(sentinel, primary)
  assert.deepEqual([primary.failover.epoch, primary.failover.state], [1, 'wait_start'])
  sentinel.raiseEpoch(2, primary)
  peer.leader = ME
  peer.leaderEpoch = 2
  runFailover(sentinel, primary)
  assert.deepEqual([primary.failover.epoch, primary.failover.state], [2, 'select_slave'])
  assert.deepEqual([primary.leader, primary.leaderEpoch], [ME, 2])
})

function info(fields: { [name: string]: string | number }): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')
}

test('replicas are found in INFO of the primary, old format too', () => {
  const { sentinel, primary, said } = withPrimary()
  refresh(
    sentinel,
    primary,
    info({
      run_id: ME,
      role: 'master',
      slave0: 'ip=10.0.0.2,port=6380,state=online,offset=1,lag=0',
      slave1: '10.0.0.3,6381,online',
      slave2: 'ip=nonsense,port=x',
    }),
  )
  assert.deepEqual([...primary.replicas.keys()], ['10.0.0.2:6380', '10.0.0.3:6381'])
  assert.deepEqual(said, [
    '+slave slave 10.0.0.2:6380 10.0.0.2 6380 @ mymaster 10.0.0.1 6379',
    '+slave slave 10.0.0.3:6381 10.0.0.3 6381 @ mymaster 10.0.0.1 6379',
  ])
})

test('the replica to promote: priority, then offset, then run id', () => {
  const { sentinel, primary } = withPrimary()
  const add = (port: number, fields: { [name: string]: string | number }) => {
    const replica = sentinel.addReplica(primary, '10.0.0.2', port)
    assert.ok(typeof replica !== 'string')
    replica.link.disconnected = false
    refresh(sentinel, replica, info({ run_id: OTHER, role: 'slave', ...fields }))
    return replica
  }
  const a = add(1, { slave_priority: 100, slave_repl_offset: 50 })
  const b = add(2, { slave_priority: 100, slave_repl_offset: 60, run_id: THIRD })
  assert.equal(bestReplica(sentinel, primary), b)
  const c = add(3, { slave_priority: 10, slave_repl_offset: 1 })
  assert.equal(bestReplica(sentinel, primary), c)
  c.priority = 0
  a.offset = 60
  assert.equal(bestReplica(sentinel, primary), a, 'the smaller run id')
  a.flags |= S_DOWN
  b.link.disconnected = true
  assert.equal(bestReplica(sentinel, primary), undefined)
})

test('hello messages add, move and replace sentinels, and the newer configuration wins', () => {
  const { sentinel, primary, said } = withPrimary()
  const hello = (ip: string, id: string, epoch: number, host: string, configEpoch: number) =>
    processHello(sentinel, `${ip},26379,${id},${epoch},mymaster,${host},6379,${configEpoch}`)
  hello('10.0.1.1', OTHER, 0, '10.0.0.1', 0)
  hello('10.0.1.1', OTHER, 0, '10.0.0.1', 0)
  assert.deepEqual([...primary.sentinels.keys()], [OTHER])
  hello('10.0.1.2', OTHER, 0, '10.0.0.1', 0)
  assert.equal(primary.sentinels.get(OTHER)?.address.ip, '10.0.1.2')
  hello('10.0.1.2', THIRD, 4, '10.0.0.1', 0)
  assert.deepEqual([...primary.sentinels.keys()], [THIRD], 'the one at the same address is gone')
  assert.equal(sentinel.currentEpoch, 4)
  hello('10.0.1.2', THIRD, 4, '10.0.0.7', 3)
  assert.equal(primary.address.ip, '10.0.0.7')
  assert.deepEqual([...primary.replicas.keys()], ['10.0.0.1:6379'], 'the old primary is a replica now')
  hello('10.0.1.2', THIRD, 4, '10.0.0.8', 2)
  assert.equal(primary.address.ip, '10.0.0.7', 'an older configuration')
  assert.deepEqual(
    said.map(line => line.split(' ')[0]),
    [
      ...['+sentinel', '+sentinel-address-switch', '+sentinel-invalid-addr', '+sentinel', '+new-epoch'],
      ...['+config-update-from', '+switch-master', '+slave'],
    ],
  )
  for (const damaged of [
    '',
    'a,b',
    `${'x,'.repeat(9)}`,
    '10.0.1.2,70000,id,0,mymaster,10.0.0.9,6379,99',
    'a,1,b,2,other,c,3,4',
  ])
    processHello(sentinel, damaged)
  assert.equal(primary.address.ip, '10.0.0.7')
})

test('what others say of a primary does not count for the server that takes its name', () => {
  const { sentinel, primary } = withPrimary()
  const peer = sentinel.addPeer(primary, OTHER, '10.0.1.1', 26379) as Peer
  const answers: OnReply[] = []
  const send = (_: readonly string[], onReply?: OnReply) => answers.push(onReply!) > 0
  peer.link = { disconnected: false, send } as Partial<Peer['link']> as Peer['link']
  const isDown = () => {
    primary.flags |= S_DOWN
    checkObjectivelyDown(sentinel, primary)
    return primary.has(O_DOWN)
  }
  primary.flags |= S_DOWN
  askPeers(sentinel, primary, true)
  askPeers(sentinel, primary, true)
  answers[0]([1, '*', 0])
  assert.ok(isDown())
  sentinel.changeAddress(primary, '10.0.0.2', 6379)
  assert.ok(!peer.has(PRIMARY_DOWN))
  assert.ok(!isDown(), 'an answer from before')
  answers[1]([1, '*', 0])
  assert.ok(!isDown(), 'an answer that comes late')
  askPeers(sentinel, primary, true)
  answers[2]([1, '*', 0])
  assert.ok(isDown())
})

test('sentinels known for several primaries share one link', () => {
  const { sentinel, primary } = withPrimary()
  const second = sentinel.addPrimary('second', '10.0.0.5', 6379, 1) as Primary
  const one = sentinel.addPeer(primary, OTHER, '10.0.1.1', 26379) as Peer
  const two = sentinel.addPeer(second, OTHER, '10.0.1.1', 26379) as Peer
  assert.equal(one.link, two.link)
  assert.equal(one.link.users, 2)
  sentinel.removePrimary(second)
  assert.equal(one.link.users, 1)
  assert.ok(two.removed)
})

test('the promoted replica is announced as soon as it is a primary, and written as one', () => {
  const { sentinel, primary } = withPrimary()
  const replica = sentinel.addReplica(primary, '10.0.0.2', 6379)
  assert.ok(typeof replica !== 'string')
  primary.flags |= FAILOVER_IN_PROGRESS | FORCE_FAILOVER
  replica.flags |= PROMOTED
  primary.failover.promoted = replica
  primary.failover.epoch = sentinel.currentEpoch = 8
  primary.failover.enter('wait_promotion', 1)
  assert.equal(primary.currentAddress.ip, '10.0.0.1')
  refresh(sentinel, replica, info({ run_id: OTHER, role: 'master' }))
  assert.equal(primary.currentAddress.ip, '10.0.0.2')
  assert.equal(primary.configEpoch, 8)
  const lines = written(sentinel)
  assert.ok(lines.includes('sentinel monitor mymaster 10.0.0.2 6379 2'))
  assert.ok(lines.includes('sentinel known-replica mymaster 10.0.0.1 6379'))
})

test('in TILT a failover goes on when an operator asked for it and the others have been heard', () => {
  const { sentinel, primary, machine } = withPrimary()
  const replica = sentinel.addReplica(primary, '10.0.0.2', 6379)
  const peers = [OTHER, THIRD].map((id, i) => sentinel.addPeer(primary, id, `10.0.1.${i}`, 26379) as Peer)
  assert.ok(typeof replica !== 'string')
  const hello = (id: string, i: number) => processHello(sentinel, `10.0.1.${i},26379,${id},0,mymaster,10.0.0.1,6379,0`)
  sentinel.tick()
  machine.advance(sentinel.timing.tiltTriggerMs + 1)
  sentinel.tick()
  assert.ok(sentinel.tilt)
  startFailover(sentinel, primary)
  const passes = () => {
    machine.advance(100)
    sentinel.tick()
    return primary.failover.state !== 'wait_start'
  }
  hello(OTHER, 0)
  hello(THIRD, 1)
  assert.ok(!passes(), 'nobody asked for it')
  primary.flags |= FORCE_FAILOVER
  for (const peer of peers) peer.helloMs = 1
  assert.ok(!passes(), 'nobody was heard')
  hello(OTHER, 0)
  assert.ok(!passes(), 'one of two was heard')
  hello(THIRD, 1)
  assert.ok(passes())
  assert.ok(sentinel.tilt)
})

test('state that cannot be saved is reported as that', () => {
  const { sentinel, state } = withPrimary()
  state.failure = 'No space left on device'
  assert.equal(sentinel.save(), false)
})
