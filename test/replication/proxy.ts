// HostileProxy: forwards connections to a server, and breaks, delays and splits what passes, all chosen by a seed.
//
//   client ◀─▶ [halves, delays] ◀─▶ server        cut: of the next bytes only a part still passes, then both ends close
//
// Always: what passes is a prefix of what was sent, in order.

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from '../../src/system/system.ts'
import { sleep } from '../harness/target.ts'

const CUT_MS = 50

export class HostileProxy {
  cuts = 0
  /** Times that a delay began. */
  delays = 0
  port = 0
  private readonly random: Random
  private readonly target: number
  /** Both ends of each connection, by either. */
  private readonly sockets = new Map<Socket, Socket>()
  private server!: Server
  private delayMs = 0

  constructor(random: Random, target: number) {
    this.random = random
    this.target = target
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  open(): Promise<void> {
    this.server = createServer(socket => {
      this.join(socket, connect({ port: this.target, host: '127.0.0.1', noDelay: true }))
    })
    return new Promise(resolve =>
      this.server.listen(0, '127.0.0.1', () => {
        this.port = (this.server.address() as { port: number }).port
        resolve()
      }),
    )
  }

  private join(one: Socket, other: Socket): void {
    one.setNoDelay()
    for (const [from, to] of [
      [one, other],
      [other, one],
    ]) {
      this.sockets.set(from, to)
      from.on('error', () => {})
      from.on('close', () => {
        this.sockets.delete(from)
        to.destroy()
      })
      from.on('data', bytes => this.pass(from, to, bytes))
    }
  }

  private pass(from: Socket, to: Socket, bytes: Uint8Array): void {
    if (this.delayMs === 0) to.write(bytes)
    else void this.passSlowly(from, to, bytes)
  }

  /** In two parts, each after a delay; meanwhile nothing else comes. */
  private async passSlowly(from: Socket, to: Socket, bytes: Uint8Array): Promise<void> {
    from.pause()
    const half = this.below(bytes.length + 1)
    for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
      await sleep(this.below(this.delayMs + 1))
      if (!this.sockets.has(from) || to.destroyed) return
      if (part.length > 0) to.write(part)
    }
    from.resume()
  }

  /** From now on everything is halved, and waits for up to `ms` twice; 0: passes as it comes. */
  delay(ms: number): void {
    this.delayMs = ms
    if (ms > 0) this.delays++
  }

  /** Breaks all connections; of what comes next only a part still passes. */
  cut(): void {
    this.cuts++
    for (const [from, to] of this.sockets) {
      from.removeAllListeners('data')
      from.once('data', bytes => {
        to.write(bytes.subarray(0, this.below(bytes.length + 1)))
        to.destroySoon()
      })
      setTimeout(() => from.destroy(), CUT_MS)
    }
  }

  close(): void {
    for (const socket of this.sockets.keys()) socket.destroy()
    this.server.close()
  }
}
