// InputQueue: clients whose budget ended before their input did. Each gets one more budget in a later turn of the event
// loop, in order; meanwhile its socket is not read, so that the kernel slows the sender down.
//
//   receive ─▶ [budget ends] add ─▶ next turn [replies leave, a budget for each, TURN_US in all]
//                                       └▶ [input used up] the socket is read again
//
// Always: a client is in the queue at most once and has CLIENT_INPUT_QUEUED meanwhile; its connection is paused for as
// long. A blocked or postponed client is not in the queue: its disconnection must be seen.

import { Queue } from '../lib/queue.ts'
import { CLIENT_CLOSING, CLIENT_INPUT_QUEUED, CLIENT_UNREAD, type Client } from './client.ts'
import type { Engine } from './engine.ts'

/** Queued clients run for about so long in one turn; then sockets are looked at. */
const TURN_US = 1000
/** A client is not read any more in this turn after so many bytes, or when their commands took so long. */
const TURN_BYTES = 512 * 1024
const READS_US = 500

export class InputQueue {
  private readonly engine: Engine
  private readonly clients = new Queue<Client>()
  private scheduled = false
  /** The client of the last long read; the bytes of its long reads since it was paused, and the time they took. */
  private readerId = 0
  private readBytes = 0
  private readUs = 0

  constructor(engine: Engine) {
    this.engine = engine
  }

  get length(): number {
    return this.clients.length
  }

  /** The client's input continues in a later turn. */
  add(client: Client): void {
    if ((client.flags & (CLIENT_INPUT_QUEUED | CLIENT_CLOSING)) !== 0) return
    client.flags |= CLIENT_INPUT_QUEUED
    client.connection.pause()
    this.clients.push(client)
    this.schedule()
  }

  /** A long read of a client: one after the other, they would keep the event loop. */
  countRead(client: Client, bytes: number, us: number): void {
    if (this.readerId !== client.id) this.readBytes = this.readUs = 0
    this.readerId = client.id
    this.readBytes += bytes
    this.readUs += us
    if (this.readBytes < TURN_BYTES && this.readUs < READS_US) return
    this.readerId = 0
    this.add(client)
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.engine.machine.soon(this.runTurn)
  }

  private readonly runTurn = () => {
    this.scheduled = false
    try {
      this.runClients()
    } catch (error) {
      this.engine.boundary.failed(error)
    }
    if (this.clients.length > 0) this.schedule()
  }

  private runClients(): void {
    const { engine, clients } = this
    engine.output.flushTurn()
    engine.tick()
    const untilUs = engine.machine.monotonicUs() + TURN_US
    for (let left = clients.length; left > 0; left--) {
      const client = clients.shift()!
      if (engine.input.continueClient(client)) clients.push(client)
      else {
        client.flags &= ~CLIENT_INPUT_QUEUED
        if (!client.has(CLIENT_CLOSING | CLIENT_UNREAD)) client.connection.resume()
      }
      if (engine.machine.monotonicUs() >= untilUs) return
    }
  }
}
