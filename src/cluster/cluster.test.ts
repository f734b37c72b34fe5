import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from '../config/config.ts'
import { seededRandom } from '../system/random.ts'
import { virtualSystem } from '../system/virtual.ts'
import { setBit } from './bitmap.ts'
import { Cluster } from './cluster.ts'
import { markFailing } from './health.ts'
import { BusLink } from './link.ts'
import { FAIL, HANDSHAKE, LIGHT, MYSELF, Node, PFAIL, PRIMARY, REPLICA } from './node.ts'
import { NodeTable } from './node-table.ts'
import { CorruptNodesFile, nodesText, readNodes } from './nodes-file.ts'
import { updateSlots } from './ownership.ts'
import { Packet } from './packet.ts'
import {
  barePacket,
  type Header,
  lightPublishPacket,
  pingPacket,
  publishPacket,
  updatePacket,
} from './packet-writer.ts'
import { receive } from './receive.ts'
import { sendPublished } from './send.ts'
import { NO_SLOTS, SlotSet } from './slot-set.ts'

const A = 'a'.repeat(40)
const B = 'b'.repeat(40)
const C = 'c'.repeat(40)
/** BUS_PACKETS=1000000 for the long form. */
const PACKETS = Number(process.env.BUS_PACKETS ?? 60_000)

function clusterAlone(id = A) {
  const machine = virtualSystem()
  const random = seededRandom(5)
  const state = { keys: new Map<number, number>(), saves: 0, followed: '', promoted: 0, said: [] as string[] }
  const log = (text: string) => void state.said.push(text)
  let ids = 0
  const cluster = new Cluster({
    settings: new Config(machine.disk),
    replication: {
      offset: 7,
      isFollowing: false,
      dataAgeMs: 0,
      follow: (ip, port) => void (state.followed = `${ip}:${port}`),
      promote: () => void state.promoted++,
      replicas: () => [],
      askReplicas: () => {},
    },
    keys: {
      count: slot => state.keys.get(slot) ?? 0,
      scan: () => 0,
      isEmpty: true,
      deleteSome(slot) {
        state.keys.delete(slot)
        return 0
      },
      clear: () => state.keys.clear(),
      changeOwner: () => {},
    },
    meter: undefined,
    log: { debug: log, verbose: log, notice: log, warning: log },
    nowMs: () => machine.system.clock.monotonicUs() / 1000 + 1e9,
    random: limit => random.u32() % limit,
    newId: () => String(++ids).padStart(40, '0'),
    save() {
      state.saves++
      return undefined
    },
    die: () => {
      throw new Error('died')
    },
    ...{ soon: () => {}, after: () => {}, dial: () => {}, pauseWrites: () => {}, resumeWrites: () => {} },
    background: task => void task(1000),
    tellReplicas: words => void state.said.push(words.join(' ')),
    closeClient: () => {},
    publish: (channel, message) => log(`published ${channel.length} ${message.length}`),
  })
  cluster.me.id = id
  cluster.me.address = { ip: '10.0.0.1', port: 7001, tlsPort: 0, busPort: 17001 }
  cluster.add(cluster.me)
  const node = (other: string, flags: number) => {
    const added = cluster.newNode(other, flags)
    added.address = { ip: '10.0.0.9', port: 7000, tlsPort: 0, busPort: 17000 }
    cluster.add(added)
    return added
  }
  const link = new BusLink({ packet: () => {}, garbage: () => {}, closed: () => {}, flushSoon: () => {} }, undefined, 0)
  return { cluster, state, node, link, machine }
}

function header(sender: string, type: number, change: Partial<Header> = {}): Header {
  return {
    type,
    port: 7000,
    currentEpoch: 1,
    configEpoch: 1,
    offset: 5,
    sender,
    slots: NO_SLOTS,
    primary: '',
    announcedIp: '',
    otherPort: 0,
    busPort: 17000,
    flags: PRIMARY,
    state: 0,
    messageFlags: 0,
    ...change,
  }
}

/** A ping says this of C. */
function namedC() {
  const node = new Node(C, C, REPLICA | PFAIL, 0)
  node.address = { ip: '10.0.0.3', port: 7003, tlsPort: 9, busPort: 17003 }
  node.pingSentMs = 1000
  node.pongMs = 2999
  const entries = new NodeTable()
  entries.add(node)
  return { nodes: [node], entries, isTls: false }
}
const NAMED_C = namedC()
const NAMED_NONE = { ...NAMED_C, nodes: [] }

test('a packet is read as it was written', () => {
  const extensions = { hostname: 'one.example', humanName: 'one', shardId: B, forgotten: [{ id: A, ttlS: 60 }] }
  const packet = Packet.parse(pingPacket(header(B, 0, { primary: A, announcedIp: '10.1.1.1' }), NAMED_C, extensions))
  assert.ok(packet instanceof Packet)
  assert.deepEqual(packet.gossip(0), {
    ...{ id: C, pingSentS: 1, pongS: 2, ip: '10.0.0.3', port: 7003, busPort: 17003, flags: REPLICA | PFAIL },
    otherPort: 9,
  })
  assert.deepEqual(packet.extensions(), extensions)
  assert.deepEqual([packet.sender, packet.primary, packet.announcedIp, packet.offset], [B, A, '10.1.1.1', 5])
})

test('damaged packets change nothing, and end nothing', () => {
  const { cluster, node, link, state } = clusterAlone()
  node(B, PRIMARY)
  const random = seededRandom(11)
  const slots = new SlotSet()
  slots.add(5)
  const originals = [
    pingPacket(header(C, 0, { slots }), NAMED_NONE, { forgotten: [], shardId: C }),
    updatePacket(header(C, 7), B, 9, slots),
    publishPacket(header(C, 4), new Uint8Array(3), new Uint8Array(9)),
    lightPublishPacket(4, new Uint8Array(3), new Uint8Array(9)),
    barePacket(header(C, 5)),
  ]
  for (let i = 0; i < PACKETS; i++) {
    const original = originals[i % originals.length]
    const bytes = original.slice(0, random.u32() % 3 === 0 ? random.u32() % original.length : original.length)
    for (let hits = 1 + (random.u32() % 8); hits > 0; hits--)
      if (bytes.length > 0) bytes[random.u32() % bytes.length] = random.u32()
    // The sender stays a stranger: whatever it says is ignored, apart from MEET.
    if (bytes.length > 14) bytes[13] = bytes[13] === 2 ? 0 : bytes[13]
    if (bytes.length >= 80) bytes.set(new TextEncoder().encode(C), 40)
    if (bytes.length >= 2256) receive(cluster, link, bytes)
    else Packet.parse(bytes.length < 16 ? new Uint8Array(16) : bytes)
  }
  assert.deepEqual(
    cluster.nodes.values().map(one => one.id),
    [A, B],
  )
  assert.equal(cluster.owners[5], undefined)
  assert.equal(cluster.currentEpoch, 0)
  assert.ok(state.said.some(line => line.startsWith('Received invalid')))
})

test('packets of a known node that are no packets change nothing; whatever the others say, nothing ends', {
  timeout: 600_000,
}, () => {
  const { cluster, node, link, state } = clusterAlone()
  const sender = node(B, PRIMARY)
  const replica = node(C, REPLICA)
  cluster.setPrimary(replica, sender)
  for (let slot = 0; slot < 100; slot++) cluster.assign(cluster.me, slot)
  const random = seededRandom(12)
  const slots = new SlotSet()
  slots.add(500)
  const extensions = { hostname: 'one.example', forgotten: [{ id: '9'.repeat(40), ttlS: 60 }], shardId: '3'.repeat(40) }
  const types = Array.from({ length: 11 }, (_, type) => barePacket(header(B, type, { slots })))
  const originals = [
    pingPacket(header(B, 0, { slots, currentEpoch: 3 }), NAMED_C, extensions),
    pingPacket(header(B, 1, { slots, configEpoch: 2 }), NAMED_C, extensions),
    updatePacket(header(B, 7), B, 9, slots),
    publishPacket(header(B, 4), new Uint8Array(3), new Uint8Array(9)),
    ...types,
  ]
  const seen = () => `${nodesText(cluster)} ${cluster.currentEpoch} ${cluster.isOk} ${cluster.manual.isRunning}`
  let invalid = 0
  for (let i = 0; i < PACKETS; i++) {
    const original = originals[i % originals.length]
    const isCut = random.u32() % 2 === 0
    const bytes = original.slice(0, isCut ? 2256 + (random.u32() % (original.length - 2255)) : original.length)
    for (let hits = random.u32() % 8; hits > 0; hits--) {
      // Most of a header are slots: half of the hits are elsewhere.
      const at = random.u32() % 2 === 0 ? random.u32() % 80 : random.u32() % bytes.length
      bytes[at] = random.u32()
    }
    const isInvalid = !(Packet.parse(bytes.slice()) instanceof Packet)
    const before = isInvalid && ++invalid % 64 === 0 ? seen() : ''
    receive(cluster, link, bytes)
    if (before !== '') assert.equal(seen(), before)
    // Introductions are right packets too: those nodes are not to pile up.
    if (cluster.nodes.size > 3)
      for (const one of [...cluster.nodes.values()])
        if (one !== cluster.me && one !== sender && one !== replica) cluster.remove(one)
    if (!cluster.nodes.has(B)) cluster.add(sender)
    state.said.length = Math.min(state.said.length, 100)
  }
  assert.ok(invalid > PACKETS / 4 && invalid < PACKETS)
  assert.ok(state.said.length > 0)
})

/** A link of which only what is sent over it is seen. */
function sentOver(node: Node): Uint8Array[] {
  const sent: Uint8Array[] = []
  const owner = { packet: () => {}, garbage: () => {}, closed: () => {}, flushSoon: () => {} }
  node.link = Object.assign(new BusLink(owner, node, 0), { send: (packet: Uint8Array) => void sent.push(packet) })
  return sent
}

test('a message has a short head for nodes that take it, and a whole one for others', () => {
  const { cluster, node } = clusterAlone()
  const [ours, others] = [sentOver(node(B, PRIMARY | LIGHT)), sentOver(node(C, PRIMARY))]
  const [channel, message] = [new Uint8Array([1, 2, 3]), new Uint8Array(100)]
  sendPublished(cluster, channel, message, false)
  assert.deepEqual([ours[0].length, others[0].length], [16 + 8 + 103, 2256 + 8 + 103])
  for (const [bytes] of [ours, others]) {
    const packet = Packet.parse(bytes)
    assert.ok(packet instanceof Packet)
    const { channelAt, channelBytes, messageBytes } = packet.published
    assert.deepEqual([packet.type, channelBytes, messageBytes], [4, 3, 100])
    assert.deepEqual(packet.u8.subarray(channelAt, channelAt + 3), channel)
  }
})

test('a message with a short head is of who sent the last whole packet over the link', () => {
  const { cluster, link, state, node } = clusterAlone()
  const light = lightPublishPacket(4, new Uint8Array(3), new Uint8Array(9))
  receive(cluster, link, light)
  assert.ok(!state.said.includes('published 3 9'), 'nobody has said who it is')
  receive(cluster, link, barePacket(header(B, 6)))
  receive(cluster, link, light)
  assert.ok(!state.said.includes('published 3 9'), 'the sender is not known here')
  const sender = node(B, PRIMARY)
  receive(cluster, link, light)
  assert.ok(state.said.includes('published 3 9'))
  assert.equal(sender.times.dataMs, cluster.nowMs)
})

test('packets are told apart by length, whole and light ones', () => {
  const [light, whole] = [
    lightPublishPacket(10, new Uint8Array(1), new Uint8Array(1)),
    publishPacket(header(B, 4), new Uint8Array(1), new Uint8Array(1)),
  ]
  const bytes = Buffer.concat([light, whole, light])
  const got: number[] = []
  const link = new BusLink(
    {
      packet: (_, packet) => void got.push(packet.length),
      garbage: () => got.push(-1),
      closed: () => {},
      flushSoon: () => {},
    },
    undefined,
    0,
  )
  for (let at = 0; at < bytes.length; at++) link.received(bytes, at, at + 1)
  assert.deepEqual(got, [light.length, whole.length, light.length])
  // A short packet that is not light is none.
  light[12] = 0
  link.received(light, 0, light.length)
  assert.equal(got.at(-1), -1)
})

test('the nodes file is read as it was written', () => {
  const { cluster, node } = clusterAlone()
  const other = node(B, PRIMARY)
  const replica = node(C, REPLICA)
  cluster.setPrimary(replica, other)
  other.hostname = 'other.example'
  other.humanName = 'other'
  for (const slot of [0, 1, 2, 9]) cluster.assign(cluster.me, slot)
  cluster.assign(other, 16383)
  cluster.migrating.set(2, other)
  cluster.importing.set(16383, other)
  cluster.currentEpoch = other.configEpoch = 4
  cluster.lastVoteEpoch = 3
  const text = nodesText(cluster)
  assert.match(
    text,
    /^a{40} 10\.0\.0\.1:7001@17001,,shard-id=\d{40} myself,master - 0 0 0 connected 0-2 9 \[2->-b{40}\] \[16383-<-b{40}\]$/m,
  )
  assert.match(
    text,
    /^b{40} 10\.0\.0\.9:7000@17000,other\.example,nodename=other,shard-id=\d{40} master - 0 0 4 disconnected 16383$/m,
  )
  assert.match(text, /^vars currentEpoch 4 lastVoteEpoch 3$/m)
  const again = clusterAlone()
  again.cluster.nodes.delete(again.cluster.me)
  assert.equal(readNodes(again.cluster, text), true)
  assert.equal(nodesText(again.cluster), text)
  assert.equal(again.cluster.me.id, A)
})

test('a damaged nodes file is refused', () => {
  const { cluster } = clusterAlone()
  const text = nodesText(cluster)
  const broken = [
    text.replace('myself,master', 'myself,nonsense'),
    text.replace(A, 'x'),
    text.replace('shard-id=', 'colour='),
    'vars currentEpoch\n',
    text.replace('myself,', ''),
    `${text}${B} 10.0.0.1:1@2 master -\n`,
    text.replace(' connected', ' connected 99999'),
  ]
  for (const one of broken) {
    const fresh = clusterAlone().cluster
    fresh.nodes.delete(fresh.me)
    assert.throws(() => readNodes(fresh, one), CorruptNodesFile, one)
  }
})

test('failures that come together are written once: at the next tick, or with what cannot wait', () => {
  const { cluster, node, state } = clusterAlone()
  const others = [node(B, PRIMARY), node(C, PRIMARY), node('d'.repeat(40), PRIMARY)]
  for (const other of others) {
    markFailing(cluster, other)
    cluster.afterwards()
  }
  assert.equal(state.saves, 0)
  for (let i = 0; i < 2; i++) {
    cluster.ticked()
    cluster.afterwards()
  }
  assert.equal(state.saves, 1)
  markFailing(cluster, others[0])
  cluster.bumpEpoch()
  cluster.afterwards()
  assert.equal(state.saves, 2)
  cluster.ticked()
  cluster.afterwards()
  assert.equal(state.saves, 2)
})

test('what is learnt of other shards is durable at the next tick, of its own at once, and before a vote', () => {
  const { cluster, node } = clusterAlone()
  const syncs: boolean[] = []
  Object.assign(cluster.host, { save: (_text: string, fsync: boolean) => void syncs.push(fsync) })
  const [owner, claimer] = [node(B, PRIMARY), node(C, PRIMARY)]
  cluster.assign(owner, 1)
  cluster.assign(cluster.me, 2)
  const claim = (slot: number, epoch: number) => {
    const claimed = new Uint8Array(2048)
    setBit(claimed, slot)
    updateSlots(cluster, claimer, epoch, claimed)
    cluster.afterwards()
  }
  claim(1, 3)
  assert.deepEqual(syncs, [])
  cluster.save(false)
  cluster.ticked()
  cluster.afterwards()
  assert.deepEqual(syncs.splice(0), [false, true])
  claim(2, 4)
  assert.deepEqual(syncs.splice(0), [true])
  cluster.ticked()
  cluster.afterwards()
  assert.deepEqual(syncs, [])
})

test('a claim with a newer configuration wins; the keys of a slot that was lost are deleted', () => {
  const { cluster, node, state } = clusterAlone()
  const other = node(B, PRIMARY)
  for (const slot of [1, 2, 3]) cluster.assign(cluster.me, slot)
  cluster.me.configEpoch = 5
  state.keys.set(2, 10)
  const claim = new Uint8Array(2048)
  setBit(claim, 2)
  updateSlots(cluster, other, 4, claim)
  assert.equal(cluster.owners[2], cluster.me)
  updateSlots(cluster, other, 6, claim)
  assert.equal(cluster.owners[2], other)
  assert.equal(state.keys.has(2), false)
  assert.deepEqual([cluster.me.slotCount, other.slotCount], [2, 1])
})

test('a primary that lost all of its slots follows the one that took them', () => {
  const { cluster, node, state } = clusterAlone()
  const other = node(B, PRIMARY)
  cluster.assign(cluster.me, 1)
  const claim = new Uint8Array(2048)
  setBit(claim, 1)
  updateSlots(cluster, other, 6, claim)
  assert.ok(cluster.me.has(REPLICA))
  assert.equal(state.followed, '10.0.0.9:7000')
})

test('a primary that becomes a replica leaves the keys of slots that had left to its primary', () => {
  const { cluster, node, state } = clusterAlone()
  const other = node(B, PRIMARY)
  const tasks: ((limitUs: number) => boolean)[] = []
  Object.assign(cluster.host, { background: (task: (typeof tasks)[number]) => void tasks.push(task) })
  for (const slot of [1, 2]) cluster.assign(cluster.me, slot)
  state.keys.set(2, 10)
  const claim = new Uint8Array(2048)
  setBit(claim, 2)
  updateSlots(cluster, other, 6, claim)
  assert.equal(tasks.length, 1)
  cluster.follow(other)
  assert.equal(tasks[0](1000), true)
  assert.equal(state.keys.get(2), 10)
})

test('a replica is elected by most primaries, each of which votes once in an epoch', () => {
  const { cluster, node, machine, state } = clusterAlone()
  const primary = node(B, PRIMARY)
  const voters = [node(C, PRIMARY), node('d'.repeat(40), PRIMARY)]
  for (const [slot, one] of [primary, ...voters].entries()) cluster.assign(one, slot)
  cluster.size = 3
  cluster.follow(primary)
  primary.flags |= FAIL
  cluster.election.step()
  assert.equal(cluster.currentEpoch, 0, 'it waits first')
  machine.advance(1100)
  cluster.election.step()
  assert.equal(cluster.currentEpoch, 1)
  cluster.election.voted(1)
  cluster.election.step()
  assert.equal(state.promoted, 0, 'one vote of three')
  cluster.election.voted(0)
  cluster.election.step()
  assert.equal(state.promoted, 0, 'a vote of an old epoch')
  cluster.election.voted(1)
  cluster.election.step()
  assert.equal(state.promoted, 1)
  assert.equal(cluster.owners[0], cluster.me)
  assert.equal(cluster.me.configEpoch, 1)
})

test('a node that is introduced gets its id; one that answers with another id loses its address', () => {
  const { cluster, node } = clusterAlone()
  const stranger = node('0'.repeat(40), HANDSHAKE)
  const link = new BusLink({ packet: () => {}, garbage: () => {}, closed: () => {}, flushSoon: () => {} }, stranger, 0)
  stranger.link = link
  receive(cluster, link, pingPacket(header(B, 1), NAMED_NONE, { forgotten: [] }))
  assert.equal(cluster.nodes.get(B), stranger)
  assert.ok(!stranger.has(HANDSHAKE | MYSELF))
  receive(cluster, link, pingPacket(header(C, 1), NAMED_NONE, { forgotten: [] }))
  assert.equal(stranger.address.ip, '')
  assert.equal(stranger.link, undefined)
})
