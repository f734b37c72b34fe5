// A client that crosses limits, in each state that a client can be in.

import type { Socket } from 'node:net'
import type { Client } from '../../src/engine/client.ts'
import { CLIENT_BLOCKED, CLIENT_MULTI, CLIENT_POSTPONED, CLIENT_REPLICA } from '../../src/engine/client.ts'
import { encodeCommand, latin1Bytes } from '../harness/resp.ts'
import type { Victim } from './victim.ts'

/** A client that crosses a limit, seen from the states below. */
export interface Attacking {
  /** The server has forgotten it. */
  readonly isGone: boolean
  send(bytes: Uint8Array): void
  /** Sends a command, and waits until the server has read it. */
  tell(...words: string[]): Promise<void>
  tellBytes(bytes: Uint8Array): Promise<void>
  has(flag: number): boolean
}

/** Its server. */
export interface Attacked {
  /** Waits for `done`; fails with `what` after a while. */
  until(what: string, done: () => boolean): Promise<void>
}

/** Another client. */
export interface Bystanding {
  ask(words: readonly string[], reply: string | RegExp): Promise<void>
}

export class Attacker implements Attacking {
  readonly socket: Socket
  readonly client: Client
  private readonly victim: Victim
  closed = false
  private sentBytes = 0

  private constructor(victim: Victim, socket: Socket, client: Client) {
    this.victim = victim
    this.socket = socket
    this.client = client
    socket.on('close', () => (this.closed = true))
  }

  /** A client that reads nothing. */
  static async come(victim: Victim): Promise<Attacker> {
    const { clients } = victim.server.engine
    const before = new Set(clients.keys())
    const socket = await victim.open()
    socket.pause()
    await victim.until('it is connected', () => clients.size > before.size)
    const [client] = [...clients.values()].filter(one => !before.has(one.id))
    return new Attacker(victim, socket, client)
  }

  send(bytes: Uint8Array): void {
    this.sentBytes += bytes.length
    if (!this.closed) this.socket.write(bytes)
  }

  async tell(...words: string[]): Promise<void> {
    await this.tellBytes(encodeCommand(words))
  }

  async tellBytes(bytes: Uint8Array): Promise<void> {
    this.send(bytes)
    await this.victim.until('it is read', () => this.isGone || this.client.bytesIn >= this.sentBytes)
  }

  get isGone(): boolean {
    return !this.victim.server.engine.clients.has(this.client.id)
  }

  has(flag: number): boolean {
    return (this.client.flags & flag) !== 0
  }

  /** Reads what has come, until the end of the connection. */
  drain(): void {
    this.socket.resume()
  }
}

export const LARGE = 'x'.repeat(256 * 1024)
/** More than sockets of both sides take, and than any limit of the tests. */
const LARGE_COUNT = 80

export interface State {
  readonly name: string
  /** Brings a client that has just come into the state. */
  enter(attacker: Attacking, victim: Attacked, bystander: Bystanding): Promise<void>
  /** Lets a client go on that does not parse its input. */
  release?(bystander: Bystanding): Promise<void>
  /** What continues its input where it stands. */
  readonly isHalf?: boolean
  /** The replies that pile up behind a client that does not read. */
  flood(attacker: Attacking, bystander: Bystanding): Promise<void>
}

const OK = '+OK\r\n'

/** The client's own replies. */
async function ownReplies(attacker: Attacking): Promise<void> {
  for (let left = LARGE_COUNT; left > 0; left--) attacker.send(encodeCommand(['GET', 'large']))
}

/** The command of another, repeated. */
const others =
  (words: (i: number) => string[], reply: string) =>
  async (attacker: Attacking, bystander: Bystanding): Promise<void> => {
    for (let i = 0; i < LARGE_COUNT && !attacker.isGone; i++) await bystander.ask(words(i), reply)
  }

const echoes = others(() => ['ECHO', LARGE], `$${LARGE.length}\r\n${LARGE}\r\n`)
/** Keyspace events, which a read brings forth, since writes wait. */
const misses = others(i => ['GET', `${i}${LARGE}`], '$-1\r\n')
const publications = others(() => ['PUBLISH', 'ch', LARGE], ':1\r\n')

/** A RESP3 client gets messages in any state. */
async function listen(attacker: Attacking): Promise<void> {
  await attacker.tell('HELLO', '3')
  await attacker.tell('SUBSCRIBE', 'ch')
}

export const STATES: readonly State[] = [
  { name: 'idle', enter: async () => {}, flood: ownReplies },
  {
    name: 'half a command',
    isHalf: true,
    enter: async attacker => {
      await listen(attacker)
      await attacker.tellBytes(latin1Bytes('*200000\r\n$4\r\nMGET\r\n$3\r\nkey\r\n'))
    },
    flood: publications,
  },
  {
    name: 'MULTI',
    enter: async (attacker, victim) => {
      await attacker.tell('MULTI')
      await attacker.tell('SET', 'a', 'b')
      await victim.until('MULTI is open', () => attacker.has(CLIENT_MULTI))
    },
    flood: async attacker => {
      await ownReplies(attacker)
      attacker.send(encodeCommand(['EXEC']))
    },
  },
  {
    name: 'blocked',
    enter: async (attacker, victim) => {
      await listen(attacker)
      await attacker.tell('BLPOP', 'list', '0')
      await victim.until('it is blocked', () => attacker.has(CLIENT_BLOCKED))
    },
    release: bystander => bystander.ask(['LPUSH', 'list', 'a'], ':1\r\n'),
    flood: publications,
  },
  {
    name: 'paused',
    enter: async (attacker, victim, bystander) => {
      await bystander.ask(['CLIENT', 'PAUSE', '100000', 'WRITE'], OK)
      await attacker.tell('HELLO', '3')
      await attacker.tell('PSUBSCRIBE', '__key*')
      await attacker.tell('SET', 'paused', '1')
      await victim.until('it is postponed', () => attacker.has(CLIENT_POSTPONED))
    },
    release: bystander => bystander.ask(['CLIENT', 'UNPAUSE'], OK),
    flood: misses,
  },
  { name: 'subscribed', enter: attacker => attacker.tell('SUBSCRIBE', 'ch'), flood: publications },
  { name: 'MONITOR', enter: attacker => attacker.tell('MONITOR'), flood: echoes },
  {
    name: 'tracking',
    enter: async attacker => {
      await attacker.tell('HELLO', '3')
      await attacker.tell('CLIENT', 'TRACKING', 'ON', 'BCAST')
    },
    flood: others(i => ['SET', `${i}${LARGE}`, ''], OK),
  },
  {
    name: 'replica',
    enter: async (attacker, victim) => {
      await attacker.tell('REPLCONF', 'capa', 'eof', 'capa', 'psync2')
      await attacker.tell('PSYNC', '?', '-1')
      await victim.until('it is a replica', () => attacker.has(CLIENT_REPLICA))
      // It gets the stream once it acknowledges the snapshot, and says so until the snapshot has been sent.
      for (let left = 10; left > 0; left--) {
        await new Promise(resolve => setTimeout(resolve, 10))
        await attacker.tell('REPLCONF', 'ACK', '0')
      }
    },
    flood: others(() => ['SET', 'stream', LARGE], OK),
  },
  {
    name: 'closing',
    enter: async attacker => {
      await attacker.tell('GET', 'large')
      await attacker.tell('QUIT')
    },
    flood: ownReplies,
  },
]
