// PubSub: subscriptions to channels, patterns and shard channels, and delivery.
//
//   channels   name ─▶ one client, or Subscribers (several)
//   patterns   the same, with the pattern's bytes beside it
//
// Always: a client's own sets (channels, patterns, shardChannels) mirror the maps; CLIENT_PUBSUB is set while any of
// them is filled. A message is written once per protocol and set of subscribers (broadcast.ts).

import type { Database } from '../../keyspace/database.ts'
import { bytesOf } from '../../lib/bytes.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { TextCache } from '../../lib/text-cache.ts'
import { errorBytes, Reply, SMALL_REPLY_BYTES } from '../../protocol/reply.ts'
import { CLIENT_PUBSUB, type Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import type { Gate } from '../gates.ts'
import type { Broadcast } from './broadcast.ts'
import { NOTIFY_KEYEVENT, NOTIFY_KEYSPACE } from './events.ts'

type Listeners = Client | Subscribers

/** Several subscribers of the same channel or pattern, in the order they came. */
class Subscribers {
  readonly clients = new Set<Client>()
  batch2: Broadcast | undefined
  batch3: Broadcast | undefined
  private listed: Client[] | undefined

  get list(): readonly Client[] {
    return (this.listed ??= [...this.clients])
  }

  add(client: Client): this {
    this.clients.add(client)
    this.listed = undefined
    return this
  }

  delete(client: Client): void {
    this.clients.delete(client)
    this.listed = undefined
  }
}

interface Pattern {
  glob: Slice
  listeners: Listeners
}

/** The kind of a subscription: the word of its confirmation, and where it is stored. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard'

const CONFIRM = {
  channel: ['subscribe', 'unsubscribe'],
  pattern: ['psubscribe', 'punsubscribe'],
  shard: ['ssubscribe', 'sunsubscribe'],
} as const

/** The start of a message, up to the pattern or the channel. */
type Head = Readonly<Record<2 | 3, Uint8Array>>

const MESSAGE = head(3, 'message')
const PMESSAGE = head(4, 'pmessage')
const SMESSAGE = head(3, 'smessage')

const ALLOWED_IN_RESP2 = new Set([
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
  'ping',
  'quit',
  'reset',
])

/** A subscribed RESP2 client may only change its subscriptions. */
const mayRunWhileSubscribed: Gate = (client, entry) =>
  !client.has(CLIENT_PUBSUB) || client.resp === 3 || ALLOWED_IN_RESP2.has(entry.fullName)
    ? undefined
    : errorBytes(
        `ERR Can't execute '${entry.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
      )

export class PubSub {
  readonly channels = new Map<string, Listeners>()
  readonly shardChannels = new Map<string, Listeners>()
  readonly patterns = new Map<string, Pattern>()
  private readonly engine: Engine
  private readonly names = new TextCache()
  private readonly message2 = new Reply(SMALL_REPLY_BYTES)
  private readonly message3 = new Reply(SMALL_REPLY_BYTES)
  /** Messages to channels with a single subscriber. */
  private singleSubscriber2: Broadcast | undefined
  private singleSubscriber3: Broadcast | undefined

  constructor(engine: Engine) {
    this.engine = engine
    this.message3.resp = 3
    engine.notifyHook = (cls, event, key, db) => this.notifyKeyspace(cls, event, key, db)
    engine.onClientDisconnected.push(client => this.dropAll(client))
    engine.onClientReset.push(client => this.dropAll(client))
    engine.gates.set('pubsub', mayRunWhileSubscribed)
  }

  // ---- subscriptions ----

  /** Number of channels and patterns of a client; shard channels are counted apart. */
  count(client: Client, kind: SubscriptionKind): number {
    if (kind === 'shard') return client.shardChannels?.size ?? 0
    return (client.channels?.size ?? 0) + (client.patterns?.size ?? 0)
  }

  subscribe(client: Client, name: Slice, kind: SubscriptionKind, reply: Reply): void {
    const key = name.latin1()
    const own = this.ownSet(client, kind)
    if (!own.has(key)) {
      own.add(key)
      if (kind === 'pattern') {
        const pattern = this.patterns.get(key)
        if (pattern === undefined) this.patterns.set(key, { glob: name.copy(), listeners: client })
        else pattern.listeners = joined(pattern.listeners, client)
      } else {
        const map = kind === 'shard' ? this.shardChannels : this.channels
        const listeners = map.get(key)
        map.set(key, listeners === undefined ? client : joined(listeners, client))
      }
      client.flags |= CLIENT_PUBSUB
    }
    reply.push(3)
    reply.bulkText(CONFIRM[kind][0])
    reply.bulk(name)
    reply.integer(this.count(client, kind))
  }

  unsubscribe(client: Client, name: Slice, kind: SubscriptionKind, reply: Reply): void {
    this.remove(client, name.latin1(), kind)
    reply.push(3)
    reply.bulkText(CONFIRM[kind][1])
    reply.bulk(name)
    reply.integer(this.count(client, kind))
  }

  /** UNSUBSCRIBE without names. */
  unsubscribeAll(client: Client, kind: SubscriptionKind, reply: Reply): void {
    const names = [...this.ownSet(client, kind)]
    for (const name of names) this.unsubscribe(client, Slice.of(name), kind, reply)
    if (names.length > 0) return
    reply.push(3)
    reply.bulkText(CONFIRM[kind][1])
    reply.null()
    reply.integer(this.count(client, kind))
  }

  /** A shard channel's slot has left: its subscriptions end, and the clients are told. */
  dropShardChannel(name: Slice): void {
    const listeners = this.shardChannels.get(name.latin1())
    if (listeners === undefined) return
    const clients = listeners instanceof Subscribers ? [...listeners.clients] : [listeners]
    for (const client of clients) this.engine.replyTo(client, reply => this.unsubscribe(client, name, 'shard', reply))
  }

  /** The client disconnects or runs RESET: no confirmations. */
  dropAll(client: Client): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of [...this.ownSet(client, kind)]) this.remove(client, name, kind)
    }
  }

  private ownSet(client: Client, kind: SubscriptionKind): Set<string> {
    if (kind === 'channel') return (client.channels ??= new Set())
    return kind === 'pattern' ? (client.patterns ??= new Set()) : (client.shardChannels ??= new Set())
  }

  private remove(client: Client, name: string, kind: SubscriptionKind): void {
    if (!this.ownSet(client, kind).delete(name)) return
    if (kind === 'pattern') {
      const pattern = this.patterns.get(name)!
      const rest = without(pattern.listeners, client)
      if (rest === undefined) this.patterns.delete(name)
      else pattern.listeners = rest
    } else {
      const map = kind === 'shard' ? this.shardChannels : this.channels
      const rest = without(map.get(name)!, client)
      if (rest === undefined) map.delete(name)
      else map.set(name, rest)
    }
    if (this.count(client, 'channel') === 0 && this.count(client, 'shard') === 0) client.flags &= ~CLIENT_PUBSUB
  }

  // ---- delivery ----

  /** Sends a message to a channel and to matching patterns; returns the number of receivers. */
  publish(channel: Slice, message: Slice): number {
    let receivers = 0
    if (this.channels.size > 0) {
      const listeners = this.channels.get(this.names.textOf(channel))
      if (listeners !== undefined) receivers += this.deliver(listeners, MESSAGE, undefined, channel, message)
    }
    if (this.patterns.size === 0) return receivers
    for (const { glob, listeners } of this.patterns.values()) {
      if (globMatch(glob, channel)) receivers += this.deliver(listeners, PMESSAGE, glob, channel, message)
    }
    return receivers
  }

  publishShard(channel: Slice, message: Slice): number {
    if (this.shardChannels.size === 0) return 0
    const listeners = this.shardChannels.get(this.names.textOf(channel))
    return listeners === undefined ? 0 : this.deliver(listeners, SMESSAGE, undefined, channel, message)
  }

  private deliver(to: Listeners, head: Head, glob: Slice | undefined, channel: Slice, message: Slice): number {
    const { engine } = this
    if (to instanceof Subscribers) {
      const { list } = to
      let from2 = -1
      let from3 = -1
      for (let i = 0; i < list.length; i++) {
        const client = list[i]
        if (client === engine.current) this.sendToSelf(client, head, glob, channel, message)
        else if (client.resp === 2) {
          if (from2 < 0)
            from2 = this.add((to.batch2 = engine.output.broadcast(to.batch2)), head, glob, channel, message, 2)
          engine.sendTo(client, to.batch2!, from2)
        } else {
          if (from3 < 0)
            from3 = this.add((to.batch3 = engine.output.broadcast(to.batch3)), head, glob, channel, message, 3)
          engine.sendTo(client, to.batch3!, from3)
        }
      }
      return list.length
    }
    if (to === engine.current) this.sendToSelf(to, head, glob, channel, message)
    else {
      const batch = engine.output.broadcast(to.resp === 2 ? this.singleSubscriber2 : this.singleSubscriber3)
      if (to.resp === 2) this.singleSubscriber2 = batch
      else this.singleSubscriber3 = batch
      engine.sendTo(to, batch, this.add(batch, head, glob, channel, message, to.resp))
    }
    return 1
  }

  /** Adds a message to a broadcast; where it begins. */
  private add(
    batch: Broadcast,
    head: Head,
    glob: Slice | undefined,
    channel: Slice,
    message: Slice,
    resp: number,
  ): number {
    const from = batch.end
    batch.reply.resp = resp
    writeMessage(batch.reply, head, glob, channel, message)
    return from
  }

  /** The publisher's own message is sent after the reply of the whole command, script or transaction. */
  private sendToSelf(client: Client, head: Head, glob: Slice | undefined, channel: Slice, message: Slice): void {
    const reply = client.resp === 2 ? this.message2 : this.message3
    const bytes = this.written(reply, head, glob, channel, message)
    const whole = new Slice(bytes, 0, bytes.length)
    this.engine.dispatch.afterReply(() => this.engine.replyTo(client, own => own.raw(whole)))
  }

  private written(reply: Reply, head: Head, glob: Slice | undefined, channel: Slice, message: Slice): Uint8Array {
    reply.pos = 0
    writeMessage(reply, head, glob, channel, message)
    return reply.u8.slice(0, reply.pos)
  }

  // ---- keyspace events ----

  private notifyKeyspace(_cls: number, event: string, key: Slice, db: Database): void {
    const wanted = this.engine.settings.notifyKeyspaceEvents
    if (this.channels.size === 0 && this.patterns.size === 0) return
    const eventBytes = Slice.of(event)
    if ((wanted & NOTIFY_KEYSPACE) !== 0) {
      const channel = Slice.of(`__keyspace@${db.index}__:${key.latin1()}`)
      this.publish(channel, eventBytes)
    }
    if ((wanted & NOTIFY_KEYEVENT) !== 0) this.publish(Slice.of(`__keyevent@${db.index}__:${event}`), key)
  }

  // ---- PUBSUB ----

  numberOf(channel: Slice, kind: 'channel' | 'shard'): number {
    const listeners = (kind === 'shard' ? this.shardChannels : this.channels).get(channel.latin1())
    if (listeners === undefined) return 0
    return listeners instanceof Subscribers ? listeners.clients.size : 1
  }
}

function writeMessage(reply: Reply, head: Head, glob: Slice | undefined, channel: Slice, message: Slice): void {
  reply.fixed(reply.resp === 2 ? head[2] : head[3])
  if (glob !== undefined) reply.bulk(glob)
  reply.bulk(channel)
  reply.bulk(message)
}

function head(length: number, word: string): Head {
  const rest = `${length}\r\n$${word.length}\r\n${word}\r\n`
  return { 2: bytesOf(`*${rest}`), 3: bytesOf(`>${rest}`) }
}

function joined(listeners: Listeners, client: Client): Listeners {
  return listeners instanceof Subscribers ? listeners.add(client) : new Subscribers().add(listeners).add(client)
}

function without(listeners: Listeners, client: Client): Listeners | undefined {
  if (!(listeners instanceof Subscribers)) return undefined
  listeners.delete(client)
  return listeners.clients.size === 0 ? undefined : listeners
}
