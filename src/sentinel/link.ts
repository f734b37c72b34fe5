// InstanceLink: the connections of a sentinel to one instance. Primaries and replicas have two: commands, and a
// subscription to hello messages; other sentinels have one, which all primaries that they are known for share.
//
// Always: `pending` counts the commands whose replies are awaited on the present command connection. A reply that
// comes after its connection was replaced is dropped.

import { type ClientSystem, Connection, type ReplyHandler, writeWords } from '../client/connection.ts'
import type { CloseReason } from '../client/errors.ts'
import type { Push, Value } from '../protocol/value.ts'
import type { Address } from '../system/network.ts'

type OnReply = (value: Value) => void

export class InstanceLink {
  /** Instances that use this link. */
  users = 1
  /** A connection is missing. */
  disconnected = true
  pending = 0
  commands: Connection | undefined
  pubsub: Connection | undefined
  commandsSinceMs = 0
  pubsubSinceMs = 0
  reconnectedMs = 0
  pubsubActivityMs = 0
  /** When the oldest unanswered PING was sent; 0: none is. At first: when waiting for the instance began. */
  unansweredPingMs: number
  pingSentMs = 0
  /** The last valid answer to PING, and the last answer of any kind. */
  availableMs: number
  pongMs: number
  /** Why the instance cannot be used although it may be up: a refused password, a name that does not resolve. */
  trouble = ''

  constructor(nowMs: number) {
    this.unansweredPingMs = this.availableMs = this.pongMs = nowMs
  }

  openCommands(system: ClientSystem, address: Address, nowMs: number): void {
    this.pending = 0
    this.commandsSinceMs = nowMs
    const connection: Connection = new Connection(
      system,
      { address },
      {
        closed: reason => {
          if (this.commands === connection) this.lost('commands', reason)
        },
      },
    )
    this.commands = connection
  }

  /** `onMessage` gets the subscription's confirmation and messages. */
  openPubSub(system: ClientSystem, address: Address, nowMs: number, onMessage: OnReply): void {
    this.pubsubSinceMs = this.pubsubActivityMs = nowMs
    const connection: Connection = new Connection(
      system,
      { address },
      {
        pushed: (push: Push) => onMessage(push.items),
        closed: reason => {
          if (this.pubsub === connection) this.lost('pubsub', reason)
        },
      },
    )
    this.pubsub = connection
  }

  private lost(which: 'commands' | 'pubsub', reason: CloseReason): void {
    this[which] = undefined
    if (which === 'commands') this.pending = 0
    this.disconnected = true
    if (this.trouble === '' && reason.kind === 'protocol') this.trouble = reason.text
  }

  /** Sends a command over the command connection; false: there is none. */
  send(words: readonly string[], onReply?: OnReply): boolean {
    const { commands } = this
    if (commands === undefined || commands.state === 'closed') return false
    this.pending++
    writeWords(commands.out, words)
    commands.expect(1, new Expected(this, commands, onReply))
    commands.flush()
    return true
  }

  /** Sends a command over the subscription's connection, where any number of replies may follow. */
  sendPubSub(words: readonly string[], onReply: OnReply, replies = 1): void {
    const { pubsub } = this
    if (pubsub === undefined || pubsub.state === 'closed') return
    writeWords(pubsub.out, words)
    pubsub.expect(replies, { reply: onReply, closed: () => {} })
    pubsub.flush()
  }

  closeCommands(): void {
    const { commands } = this
    if (commands === undefined) return
    this.commands = undefined
    this.pending = 0
    this.disconnected = true
    commands.close()
  }

  closePubSub(): void {
    const { pubsub } = this
    if (pubsub === undefined) return
    this.pubsub = undefined
    this.disconnected = true
    pubsub.close()
  }

  close(): void {
    this.closeCommands()
    this.closePubSub()
  }

  /** One user less; the last one closes. */
  release(): void {
    if (--this.users === 0) this.close()
  }
}

class Expected implements ReplyHandler {
  private readonly link: InstanceLink
  private readonly connection: Connection
  private readonly onReply: OnReply | undefined

  constructor(link: InstanceLink, connection: Connection, onReply: OnReply | undefined) {
    this.link = link
    this.connection = connection
    this.onReply = onReply
  }

  reply(value: Value): void {
    if (this.link.commands !== this.connection) return
    this.link.pending--
    this.onReply?.(value)
  }

  closed(): void {}
}
