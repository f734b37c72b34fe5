import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualSystem } from '../system/virtual.ts'
import { Config } from './config.ts'
import { DIRECTIVES } from './directives.ts'

const newConfig = () => new Config(virtualSystem({ cwd: '/data' }).disk)

test('fields are typed and start at the defaults', () => {
  const config = newConfig()
  assert.equal(config.port, 6379)
  assert.equal(config.maxmemory, 0)
  assert.equal(config.maxmemoryPolicy, 'noeviction')
  assert.equal(config.listMaxListpackSize, -2)
  assert.equal(config.protectedMode, true)
  assert.equal(config.dir, '/data')
  assert.deepEqual(config.bind, ['*', '-::*'])
  assert.deepEqual(config.save[0], { seconds: 3600, changes: 1 })
  assert.deepEqual(config.clientOutputBufferLimit.pubsub, { hardBytes: 33554432, softBytes: 8388608, softSeconds: 60 })
  assert.deepEqual(config.latencyTrackingInfoPercentiles, [50, 99, 99.9])
  assert.equal(config.replicaof, null)
})

test('GET finds names, aliases and patterns whatever the case, and hidden ones only by name', () => {
  const config = newConfig()
  assert.deepEqual(config.get(['maxmemory', 'MAXMEMORY', 'nosuch']), [['maxmemory', '0']])
  assert.deepEqual(config.get(['Port']), [['Port', '6379']])
  assert.deepEqual(config.get(['slave-pri*']), [['slave-priority', '100']])
  assert.deepEqual(config.get(['key-load-dela*']), [])
  assert.deepEqual(config.get(['key-load-delay']), [['key-load-delay', '0']])
  assert.deepEqual(config.get(['save', 'lua-time-limit', 'client-output-buffer-limit']), [
    ['save', '3600 1 300 100 60 10000'],
    ['lua-time-limit', '5000'],
    ['client-output-buffer-limit', 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'],
  ])
})

test('every value prints to what sets it again', () => {
  const config = newConfig()
  for (const { name, kind } of DIRECTIVES) {
    if (kind.immutable || kind.protected) continue
    assert.equal(config.set([[name, config.print(name)!]]), null, name)
  }
})

const FAILED = 'ERR CONFIG SET failed (possibly related to argument '
const REFUSED: [name: string, value: string, error: string][] = [
  ['nosuch', '1', "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"],
  ['daemonize', 'yes', `${FAILED}'daemonize') - can't set immutable config`],
  ['dir', '/', `${FAILED}'dir') - can't set protected config`],
  ['appendonly', '1', `${FAILED}'appendonly') - argument must be 'yes' or 'no'`],
  ['port', '70000', `${FAILED}'port') - argument must be between 0 and 65535 inclusive`],
  ['hz', 'ten', `${FAILED}'hz') - argument couldn't be parsed into an integer`],
  ['maxmemory', '-1', `${FAILED}'maxmemory') - argument must be a memory value`],
  ['maxmemory-clients', '101%', `${FAILED}'maxmemory-clients') - percentage argument must be less or equal to 100`],
  ['maxmemory-clients', '-1', `${FAILED}'maxmemory-clients') - argument must be a memory or percent value`],
  ['save', '900', `${FAILED}'save') - Invalid save parameters`],
  ['oom-score-adj-values', '1 2', `${FAILED}'oom-score-adj-values') - wrong number of arguments`],
  [
    'appendfsync',
    'sometimes',
    `${FAILED}'appendfsync') - argument(s) must be one of the following: everysec, always, no`,
  ],
  [
    'shutdown-on-sigterm',
    'save nosave',
    `${FAILED}'shutdown-on-sigterm') - shutdown options SAVE and NOSAVE can't be used simultaneously`,
  ],
  [
    'client-output-buffer-limit',
    'wrong 0 0 0',
    `${FAILED}'client-output-buffer-limit') - Invalid client class specified in buffer limit configuration.`,
  ],
]

test('SET refuses with the texts of Redis', () => {
  const config = newConfig()
  for (const [name, value, error] of REFUSED) assert.equal(config.set([[name, value]]), error)
})

test('SET sets all or nothing', () => {
  const config = newConfig()
  const before = config.get(['*'])
  const error = config.set([
    ['maxmemory', '10mb'],
    ['save', ''],
    ['client-output-buffer-limit', 'normal 1 1 1'],
    ['bind', '127.0.0.1'],
    ['maxmemory-clients', 'wrong'],
  ])
  assert.equal(error, `${FAILED}'maxmemory-clients') - argument must be a memory or percent value`)
  assert.deepEqual(config.get(['*']), before)
  assert.equal(
    config.set([
      ['maxmemory', '1'],
      ['MAXMEMORY', '2'],
    ]),
    `${FAILED}'MAXMEMORY') - duplicate parameter`,
  )
  assert.equal(
    config.set([
      ['maxmemory', '100mb'],
      ['maxmemory-clients', '5%'],
    ]),
    null,
  )
  assert.equal(config.maxmemory, 104857600)
  assert.equal(config.maxmemoryClients, -5)
  assert.equal(config.print('maxmemory-clients'), '5%')
})

test('changes are applied once, and set back when one cannot be', () => {
  const config = newConfig()
  const seen: string[] = []
  config.onChange(['port', 'bind'], now => void seen.push(`listen ${now.bind} ${now.port}`))
  config.onChange('maxclients', now => (now.maxclients > 100 ? 'too many' : undefined))
  config.set([
    ['port', '7000'],
    ['bind', '127.0.0.1'],
  ])
  config.set([['port', '7000']])
  assert.deepEqual(seen, ['listen 127.0.0.1 7000'])
  const error = config.set([
    ['port', '8000'],
    ['maxclients', '200'],
  ])
  assert.equal(error, `${FAILED}'maxclients') - too many`)
  assert.deepEqual(seen.slice(1), ['listen 127.0.0.1 8000', 'listen 127.0.0.1 7000'])
  assert.equal(config.port, 7000)
  assert.equal(config.maxclients, 10000)
})

test('numbers beyond 2^53 stay exact for those who read them back', () => {
  const config = newConfig()
  config.set([['maxmemory', '18446744073709551615']])
  assert.equal(config.print('maxmemory'), '18446744073709551615')
  config.set([['slowlog-log-slower-than', '9223372036854775807']])
  assert.equal(config.print('slowlog-log-slower-than'), '9223372036854775807')
})

test('while loading, and for clients from elsewhere, some are closed', () => {
  const config = newConfig()
  assert.equal(config.set([['appendonly', 'yes']], { loading: true }), 'LOADING Redis is loading the dataset in memory')
  config.put('enable-protected-configs', 'local')
  assert.equal(config.set([['dbfilename', 'x.rdb']], { local: true }), null)
  assert.match(String(config.set([['dbfilename', 'y.rdb']])), /can't set protected config/)
  assert.equal(config.set([['dir', '/nowhere']], { local: true }), `${FAILED}'dir') - No such file or directory`)
  assert.equal(config.set([['dir', '/']], { local: true }), null)
  assert.equal(config.print('dir'), '/')
})

test('oddities: hz is clamped, relative shows as yes, flags in their order, events sorted', () => {
  const config = newConfig()
  config.set([['hz', '1000']])
  config.set([['oom-score-adj', 'relative']])
  config.set([['shutdown-on-sigint', 'force NOSAVE default']])
  config.set([['notify-keyspace-events', 'gxKEm']])
  const print = (name: string) => config.print(name)
  assert.deepEqual([print('hz'), print('oom-score-adj')], ['500', 'yes'])
  assert.equal(print('shutdown-on-sigint'), 'nosave force')
  assert.deepEqual(config.shutdownOnSigint, ['nosave', 'force'])
  assert.equal(print('notify-keyspace-events'), 'gxKEm')
  config.set([['notify-keyspace-events', 'AKEn']])
  assert.equal(print('notify-keyspace-events'), 'AKE')
  config.set([['oom-score-adj-values', '-1 2 3']])
  assert.deepEqual(config.oomScoreAdjValues, [-1, 2, 3])
  assert.equal(config.isSensitive('REQUIREPASS'), true)
})

test('a mirror keeps the fields it declares', () => {
  const config = newConfig()
  const mirror = { maxmemory: -1, hashMaxListpackEntries: -1, other: 'x' }
  config.mirrorInto(mirror, ['maxmemory', 'hashMaxListpackEntries'])
  config.set([['maxmemory', '5mb']])
  assert.deepEqual(mirror, { maxmemory: 5242880, hashMaxListpackEntries: 512, other: 'x' })
})

test('a directive may have several listeners, called in their order', () => {
  const config = newConfig()
  const called: string[] = []
  config.onChange('maxmemory', () => void called.push('first'))
  config.onChange(['maxmemory', 'maxmemory-clients'], () => void called.push('second'))
  config.set([
    ['maxmemory', '1mb'],
    ['maxmemory-clients', '1mb'],
  ])
  assert.deepEqual(called, ['first', 'second'])
})

test('what takes its time to apply is waited for, and set back all the same', async () => {
  const config = newConfig()
  const tried: number[] = []
  config.onChange('port', async now => {
    tried.push(now.port)
    return now.port === 1 ? 'Unable to listen on this port. Check server logs.' : undefined
  })
  assert.equal(await config.set([['port', '2']]), null)
  const answer = config.set([
    ['maxmemory', '5'],
    ['port', '1'],
  ])
  assert.equal(await answer, `${FAILED}'port') - Unable to listen on this port. Check server logs.`)
  assert.deepEqual([tried, config.port, config.maxmemory], [[2, 1, 2], 2, 0])
})
