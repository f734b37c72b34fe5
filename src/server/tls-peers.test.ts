// TLS between servers: real sockets, with certificates that openssl makes.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Certificates } from '../../test/harness/certificates.ts'
import { oraclePath, skipUnlessReadsOurs, skipWithoutOracle } from '../../test/harness/oracle.ts'
import { textOf } from '../../test/harness/resp.ts'
import { PlainConnection, ServerProcess } from '../../test/harness/server-process.ts'
import { freePort, sleep } from '../../test/harness/target.ts'
import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import { runtimeNetwork } from '../net/runtime.ts'
import { realSystem } from '../system/real.ts'
import { Logger } from './log.ts'
import { startSentinel } from './sentinel.ts'
import { Server } from './server.ts'

const files = new Certificates()
files.authority('ca')
files.authority('stranger')
files.signed('server')
files.signed('peer', { passphrase: 'open sesame' })
files.signed('foreign', { authority: 'stranger' })

type Directives = Readonly<Record<string, string>>

const secured = (certificate = 'server'): Directives => ({
  'tls-cert-file': files.path(`${certificate}.crt`),
  'tls-key-file': files.path(`${certificate}.key`),
  'tls-ca-cert-file': files.path('ca.crt'),
})

let folders = 0

function newFolder(): string {
  const folder = files.path(`server${++folders}`)
  mkdirSync(folder)
  return folder
}

function linesOf(directives: Directives): string {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}\n`)
    .join('')
}

/** A server in this process: a port for the test without TLS, and one with it. */
class Ours {
  readonly tlsPort: number
  readonly port: number
  readonly server: Server
  readonly connection: PlainConnection

  private constructor(server: Server, port: number, tlsPort: number) {
    this.server = server
    this.port = port
    this.tlsPort = tlsPort
    this.connection = new PlainConnection(port)
  }

  /** A port that was free may be another's by then: three attempts. */
  static async start(directives: Directives, attempts = 3): Promise<Ours> {
    try {
      return await Ours.tryStart(directives)
    } catch (error) {
      if (attempts > 1 && String(error).includes('Address already in use')) return Ours.start(directives, attempts - 1)
      throw error
    }
  }

  private static async tryStart(directives: Directives): Promise<Ours> {
    const system = realSystem(runtimeNetwork())
    const config = new Config(system.disk)
    const [port, tlsPort] = [await freePort(), await freePort()]
    const dir = newFolder()
    const own = { port: String(port), 'tls-port': String(tlsPort), bind: '127.0.0.1', dir, logfile: `${dir}/log` }
    loadText(config, linesOf({ ...own, ...secured(), save: '', ...directives }))
    const server = new Server(config, system, new Logger(system, config))
    try {
      await server.listen()
      await server.load()
    } catch (error) {
      await server.shutdown(['nosave', 'now'])
      throw error
    }
    return new Ours(server, port, tlsPort)
  }

  async call(...words: string[]) {
    return textOf(await this.connection.call(...words))
  }

  async stop(): Promise<void> {
    this.connection.close()
    await this.server.shutdown(['nosave', 'now'])
  }
}

interface Askable {
  call(...words: string[]): Promise<unknown>
}

/** Waits until what a server says matches. */
async function until(server: Askable, words: string[], expected: RegExp): Promise<void> {
  let said = ''
  for (let i = 0; i < 600; i++) {
    said = String(await server.call(...words))
    if (expected.test(said)) return
    await sleep(50)
  }
  assert.match(said, expected)
}

const REPLICATED: Directives = { 'tls-replication': 'yes', 'repl-diskless-sync-delay': '0' }

test('a replica follows its primary over TLS, with a certificate of its own', async () => {
  const primary = await Ours.start(REPLICATED)
  await primary.call('SET', 'large', 'x'.repeat(2_000_000))
  const replica = await Ours.start({
    ...REPLICATED,
    'tls-client-cert-file': files.path('peer.crt'),
    'tls-client-key-file': files.path('peer.key'),
    'tls-client-key-file-pass': 'open sesame',
  })
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.tlsPort))
  await until(replica, ['INFO', 'replication'], /master_link_status:up/)
  await primary.call('SET', 'after', 'stream')
  await until(replica, ['GET', 'after'], /stream/)
  assert.equal(await replica.call('STRLEN', 'large'), 2_000_000)
  assert.match(String(await primary.call('INFO', 'replication')), new RegExp(`port=${replica.tlsPort},state=online`))
  await primary.call('CLIENT', 'KILL', 'TYPE', 'replica')
  await primary.call('SET', 'later', 'again')
  await until(replica, ['GET', 'later'], /again/)
  assert.match(String(await primary.call('INFO', 'stats')), /sync_partial_ok:1/)
  await replica.stop()
  await primary.stop()
})

const manyOwn = { skip: process.platform !== 'linux' && 'only on Linux all of 127.0.0.0/8 is this machine' }

test('bind-source-addr is where a replica comes from; what is no address of ours is passed over', manyOwn, async () => {
  const primary = await Ours.start(REPLICATED)
  const replica = await Ours.start({ ...REPLICATED, 'bind-source-addr': '127.0.0.5' })
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.tlsPort))
  const from = (address: string) => new RegExp(`ip=${address},.*state=online`)
  await until(primary, ['INFO', 'replication'], from('127.0.0.5'))
  await replica.call('CONFIG', 'SET', 'tls-replication', 'no', 'bind-source-addr', '127.0.0.6')
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.port))
  await until(primary, ['INFO', 'replication'], from('127.0.0.6'))
  for (const nobody of ['10.254.254.254', 'nonsense', '::1']) {
    await replica.call('CONFIG', 'SET', 'bind-source-addr', nobody)
    await primary.call('CLIENT', 'KILL', 'TYPE', 'replica')
    await until(primary, ['INFO', 'replication'], from('127.0.0.1'))
  }
  await replica.stop()
  await primary.stop()
})

test('FAILOVER over TLS changes the roles, and the former primary follows', async () => {
  const primary = await Ours.start(REPLICATED)
  const replica = await Ours.start(REPLICATED)
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.tlsPort))
  await until(primary, ['INFO', 'replication'], /state=online/)
  await primary.call('SET', 'before', 'failover')
  assert.equal(await primary.call('FAILOVER', 'TIMEOUT', '20000'), 'OK')
  await until(replica, ['ROLE'], /^master/)
  await until(primary, ['INFO', 'replication'], /role:slave[\s\S]*master_link_status:up/)
  await replica.call('SET', 'after', 'failover')
  await until(primary, ['GET', 'after'], /failover/)
  assert.equal(await replica.call('GET', 'before'), 'failover')
  assert.match(String(await replica.call('INFO', 'stats')), /sync_full:0/)
  await replica.stop()
  await primary.stop()
})

test('a primary whose certificate is of another authority, or that has no TLS, is not followed', async () => {
  const primary = await Ours.start({ 'tls-auth-clients': 'no', ...secured('foreign') })
  const replica = await Ours.start(REPLICATED)
  for (const port of [primary.tlsPort, primary.port]) {
    await replica.call('REPLICAOF', '127.0.0.1', String(port))
    await sleep(300)
    assert.match(String(await replica.call('INFO', 'replication')), /master_link_status:down/)
    assert.match(String(await primary.call('INFO', 'replication')), /connected_slaves:0/)
  }
  await replica.call('CONFIG', 'SET', 'tls-replication', 'no')
  await until(replica, ['INFO', 'replication'], /master_link_status:up/)
  await replica.stop()
  await primary.stop()
})

test('tls-replication needs certificates: CONFIG SET refuses it, and a server with it does not start', async () => {
  const none = { 'tls-port': '0', 'tls-cert-file': '', 'tls-key-file': '', 'tls-ca-cert-file': '' }
  const server = await Ours.start(none)
  const refusal = await server.call('CONFIG', 'SET', 'tls-replication', 'yes')
  assert.match(String(refusal), /Unable to update TLS configuration\. Check server logs\./)
  await server.stop()
  await assert.rejects(Ours.start({ ...none, 'tls-cluster': 'yes' }), /Failed to configure TLS/)
})

test('MIGRATE goes over TLS with tls-cluster', async () => {
  const source = await Ours.start({ 'tls-cluster': 'yes' })
  const target = await Ours.start({})
  await source.call('SET', 'k', 'v')
  const migrate = (port: number) => source.call('MIGRATE', '127.0.0.1', String(port), 'k', '0', '5000')
  assert.equal(await migrate(target.tlsPort), 'OK')
  assert.equal(await target.call('GET', 'k'), 'v')
  await source.call('SET', 'k', 'v')
  assert.match(String(await migrate(target.port)), /IOERR/)
  await source.stop()
  await target.stop()
})

test('nodes of a cluster meet over TLS, and the bus serves nobody without a certificate', async () => {
  const options = { 'cluster-enabled': 'yes', 'tls-cluster': 'yes', 'cluster-node-timeout': '5000' }
  const busPort = async () => ({ ...options, 'cluster-port': String(await freePort()) })
  const ports = [await busPort(), await busPort()]
  const [one, two] = [await Ours.start(ports[0]), await Ours.start(ports[1])]
  await one.call('CLUSTER', 'MEET', '127.0.0.1', String(two.tlsPort), ports[1]['cluster-port'])
  await until(one, ['CLUSTER', 'INFO'], /cluster_known_nodes:2/)
  await until(two, ['CLUSTER', 'INFO'], /cluster_known_nodes:2/)
  await until(one, ['CLUSTER', 'NODES'], /master - .* connected/)
  const closed = await new Promise(resolve => {
    const socket = connect(Number(ports[0]['cluster-port']), '127.0.0.1', () => socket.write('RCmb and no handshake'))
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => resolve('closed'))
  })
  assert.equal(closed, 'closed')
  await one.stop()
  await two.stop()
})

/** Two nodes of a cluster over TLS; the first has all slots. */
async function cluster(): Promise<{ one: Ours; two: Ours; id: string }> {
  const options = { 'cluster-enabled': 'yes', 'tls-cluster': 'yes', 'tls-replication': 'yes' }
  const withBus = async () => ({ ...options, 'cluster-port': String(await freePort()) })
  const [first, second] = [await withBus(), await withBus()]
  const [one, two] = [await Ours.start(first), await Ours.start(second)]
  await two.call('CLUSTER', 'SET-CONFIG-EPOCH', '2')
  await one.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await one.call('CLUSTER', 'MEET', '127.0.0.1', String(two.tlsPort), second['cluster-port'])
  await until(two, ['CLUSTER', 'NODES'], /master - .* connected 0-16383/)
  await until(one, ['CLUSTER', 'NODES'], /master - .* connected\n/)
  for (const node of [one, two]) await until(node, ['CLUSTER', 'INFO'], /cluster_state:ok/)
  return { one, two, id: String(await two.call('CLUSTER', 'MYID')) }
}

test('whole slots move over TLS', async () => {
  const { one, two, id } = await cluster()
  await one.call('SET', 'foo', 'x'.repeat(1_000_000))
  const slot = String(await one.call('CLUSTER', 'KEYSLOT', 'foo'))
  assert.equal(await one.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', id), 'OK')
  await until(two, ['CLUSTER', 'NODES'], new RegExp(`myself,master .* connected ${slot}\n`))
  await until(two, ['STRLEN', 'foo'], /^1000000$/)
  await until(one, ['CLUSTER', 'COUNTKEYSINSLOT', slot], /^0$/)
  await one.stop()
  await two.stop()
})

test('CLUSTER FAILOVER over TLS', async () => {
  const { one, two } = await cluster()
  assert.equal(await one.call('SET', 'k', 'v'), 'OK')
  await two.call('CLUSTER', 'REPLICATE', String(await one.call('CLUSTER', 'MYID')))
  await until(two, ['INFO', 'replication'], /role:slave[\s\S]*master_link_status:up/)
  assert.equal(await two.call('CLUSTER', 'FAILOVER'), 'OK')
  await until(two, ['CLUSTER', 'NODES'], /myself,master .* connected 0-16383\n/)
  await until(one, ['INFO', 'replication'], /role:slave[\s\S]*master_link_status:up/)
  await until(two, ['GET', 'k'], /^v$/)
  await one.stop()
  await two.stop()
})

test('a sentinel watches its servers over TLS', async () => {
  const primary = await Ours.start(REPLICATED)
  const replica = await Ours.start(REPLICATED)
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.tlsPort))
  const system = realSystem(runtimeNetwork())
  const config = new Config(system.disk)
  config.sentinel = true
  const [port, tlsPort, dir] = [await freePort(), await freePort(), newFolder()]
  const lines = linesOf({ port: String(port), 'tls-port': String(tlsPort), dir, logfile: `${dir}/log`, ...secured() })
  const text = `${lines}tls-replication yes\nsentinel monitor main 127.0.0.1 ${primary.tlsPort} 1\n`
  writeFileSync(`${dir}/sentinel.conf`, text)
  loadText(config, text)
  config.configFile = `${dir}/sentinel.conf`
  const running = await startSentinel(config, system, new Logger(system, config), {})
  const asked = new PlainConnection(port)
  await until(asked, ['SENTINEL', 'REPLICAS', 'main'], new RegExp(`127.0.0.1:${replica.tlsPort}`))
  assert.match(String(await asked.call('SENTINEL', 'CKQUORUM', 'main')), /^OK/)
  asked.close()
  await running.shutdown()
  await replica.stop()
  await primary.stop()
})

const oracle = (directives: Directives) =>
  ServerProcess.start(oraclePath!, newFolder(), { ...secured(), ...REPLICATED, save: '', ...directives })

test('a replica of redis-server over TLS', { skip: skipWithoutOracle }, async () => {
  const tlsPort = String(await freePort())
  const primary = await oracle({ 'tls-port': tlsPort })
  await primary.call('SET', 'k', 'x'.repeat(300_000))
  const replica = await Ours.start(REPLICATED)
  await replica.call('REPLICAOF', '127.0.0.1', tlsPort)
  await until(replica, ['STRLEN', 'k'], /300000/)
  await primary.call('APPEND', 'k', 'y')
  await until(replica, ['STRLEN', 'k'], /300001/)
  await replica.stop()
  await primary.kill()
})

test('redis-server as a replica over TLS', { skip: skipUnlessReadsOurs }, async () => {
  const primary = await Ours.start(REPLICATED)
  await primary.call('SET', 'k', 'x'.repeat(300_000))
  const replica = await oracle({ 'tls-port': String(await freePort()) })
  await replica.call('REPLICAOF', '127.0.0.1', String(primary.tlsPort))
  await until(replica, ['STRLEN', 'k'], /300000/)
  await primary.call('APPEND', 'k', 'y')
  await until(replica, ['STRLEN', 'k'], /300001/)
  await replica.kill()
  await primary.stop()
})

test('MIGRATE to redis-server over TLS', { skip: skipUnlessReadsOurs }, async () => {
  const tlsPort = String(await freePort())
  const redis = await oracle({ 'tls-port': tlsPort })
  const ours = await Ours.start({ 'tls-cluster': 'yes' })
  await ours.call('SET', 'k', 'v')
  assert.equal(await ours.call('MIGRATE', '127.0.0.1', tlsPort, 'k', '0', '5000'), 'OK')
  assert.equal(await redis.call('GET', 'k'), 'v')
  await redis.kill()
  await ours.stop()
})

test('a cluster with redis-server over TLS', { skip: skipUnlessReadsOurs }, async () => {
  const cluster = { 'cluster-enabled': 'yes', 'tls-cluster': 'yes' }
  const [bus, otherBus, tlsPort] = [await freePort(), await freePort(), await freePort()]
  const ours = await Ours.start({ ...cluster, 'cluster-port': String(bus) })
  const redis = await oracle({ ...cluster, 'tls-port': String(tlsPort), 'cluster-port': String(otherBus) })
  await ours.call('CLUSTER', 'MEET', '127.0.0.1', String(tlsPort), String(otherBus))
  await until(redis, ['CLUSTER', 'INFO'], /cluster_known_nodes:2/)
  await until(ours, ['CLUSTER', 'NODES'], /connected\n.*connected/)
  await ours.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(redis, ['CLUSTER', 'SLOTS'], /16383/)
  await until(ours, ['CLUSTER', 'INFO'], /cluster_state:ok/)
  await redis.kill()
  await ours.stop()
})
