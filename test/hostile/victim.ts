// A server under attack, and what must always hold: other clients get correct replies, and after the attackers have
// disconnected nothing of theirs is left.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { Config } from '../../src/config/config.ts'
import { loadText } from '../../src/config/parser.ts'
import { runtimeNetwork } from '../../src/net/runtime.ts'
import { Logger } from '../../src/server/log.ts'
import { Server } from '../../src/server/server.ts'
import { realSystem } from '../../src/system/real.ts'
import { encodeCommand, latin1Text } from '../harness/resp.ts'

export class Victim {
  readonly server: Server
  port = 0

  private constructor(server: Server) {
    this.server = server
  }

  /** Runs `body` with a server on a free TCP port, then stops it. */
  static async treat(directives: Record<string, string>, body: (victim: Victim) => Promise<void>): Promise<void> {
    const system = realSystem(runtimeNetwork())
    const config = new Config(system.disk)
    const all = { loglevel: 'nothing', save: '""', port: '0', 'enable-debug-command': 'no', ...directives }
    const lines = Object.entries(all).map(([name, value]) => `${name} ${value}`)
    loadText(config, lines.join('\n'))
    const victim = new Victim(new Server(config, system, new Logger(system, config)))
    victim.port = await victim.server.listenOn('127.0.0.1', 0)
    try {
      await body(victim)
    } finally {
      await victim.server.shutdown(['nosave', 'now'])
    }
  }

  get clients(): number {
    return this.server.engine.clients.size
  }

  /** Bytes in the clients' output buffers. */
  get outputBytes(): number {
    return this.server.engine.output.memoryBytes
  }

  /** used_memory. */
  get usedBytes(): number {
    return this.server.maintenance.memoryStats.usedBytes()
  }

  get dataBytes(): number {
    return this.server.engine.keyspace.arena.usedBytes
  }

  /** A socket that is not read until there is a listener; its errors are expected. */
  async open(): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1' })
    socket.on('error', () => {})
    await new Promise<void>(resolve => socket.once('connect', resolve).once('close', () => resolve()))
    return socket
  }

  /** Waits for `done`; fails with `what` after a while. */
  async until(what: string, done: () => boolean): Promise<void> {
    for (let turns = 0; !done(); turns++) {
      assert.ok(turns < 1000, `never: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}

/** A well-behaved client that knows the reply of each of its commands. */
export class Bystander {
  private readonly socket: Socket
  private got = ''
  private arrived: () => void = () => {}
  private count = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', bytes => {
      this.got += latin1Text(bytes as Uint8Array)
      this.arrived()
    })
    socket.on('close', () => {
      this.got += '(closed)'
      this.arrived()
    })
  }

  static async come(victim: Victim): Promise<Bystander> {
    return new Bystander(await victim.open())
  }

  /** Writes, reads and deletes; the replies must be correct whatever else happens. */
  async check(): Promise<void> {
    const value = `value ${this.count++}`
    await this.ask(['SET', 'bystander', value], '+OK\r\n')
    await this.ask(['GET', 'bystander'], `$${value.length}\r\n${value}\r\n`)
    await this.ask(['DEL', 'bystander'], ':1\r\n')
  }

  async ask(words: readonly string[], reply: string | RegExp): Promise<void> {
    const isThere = () => (typeof reply === 'string' ? this.got.length >= reply.length : reply.test(this.got))
    this.socket.write(encodeCommand(words))
    while (!isThere() && !this.got.endsWith('(closed)')) await new Promise<void>(resolve => (this.arrived = resolve))
    if (typeof reply === 'string') assert.equal(this.got, reply)
    else assert.match(this.got, reply)
    this.got = ''
  }

  /** The server says only this, and closes the connection. */
  async refused(reply: string): Promise<void> {
    while (!this.got.endsWith('(closed)')) await new Promise<void>(resolve => (this.arrived = resolve))
    assert.equal(this.got, `${reply}(closed)`)
  }

  leave(): void {
    this.socket.destroy()
  }
}
