// InstanceLink: the connections of a sentinel to one instance. Primaries and replicas have two: commands, and a
// subscription to hello messages; other sentinels have one, which all primaries that they are known for share.
//
// Always: `pending` counts the commands whose replies are awaited on the present command connection. A reply that
// comes after its connection was replaced is dropped.

import { type ClientSystem, Connection, writeWords } from '../client/connection.ts'
import type { CloseReason } from '../client/errors.ts'
import type { Push, Value } from '../protocol/value.ts'
import type { Address } from '../system/network.ts'

export type OnReply = (value: Value) => void

type Which = 'commands' | 'pubsub'

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
    this.commands = this.opened('commands', system, address)
  }

  /** `onMessage` gets the subscription's confirmation and messages. */
  openPubSub(system: ClientSystem, address: Address, nowMs: number, onMessage: OnReply): void {
    this.pubsubSinceMs = this.pubsubActivityMs = nowMs
    this.pubsub = this.opened('pubsub', system, address, push => onMessage(push.items))
  }

  private opened(which: Which, system: ClientSystem, address: Address, pushed?: (push: Push) => void): Connection {
    const connection: Connection = new Connection(
      system,
      { address },
      {
        pushed,
        closed: reason => {
          if (this[which] === connection) this.lost(which, reason)
        },
      },
    )
    return connection
  }

  private lost(which: Which, { kind, text }: CloseReason): void {
    this.forget(which)
    if (this.trouble === '' && kind === 'protocol') this.trouble = text
  }

  private forget(which: Which): void {
    this[which] = undefined
    if (which === 'commands') this.pending = 0
    this.disconnected = true
  }

  /** Sends a command over the command connection; false: there is none. */
  send(words: readonly string[], onReply?: OnReply): boolean {
    const { commands } = this
    if (commands === undefined || commands.state === 'closed') return false
    this.pending++
    writeWords(commands.out, words)
    const reply = (value: Value) => {
      if (this.commands !== commands) return
      this.pending--
      onReply?.(value)
    }
    commands.expect(1, { reply, closed: () => {} })
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

  close(): void {
    this.closeOne('commands')
    this.closeOne('pubsub')
  }

  closeOne(which: Which): void {
    const connection = this[which]
    if (connection === undefined) return
    this.forget(which)
    connection.close()
  }

  /** One user less; the last one closes. */
  release(): void {
    if (--this.users === 0) this.close()
  }
}
