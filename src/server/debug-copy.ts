// DebugCopies: SCRIPT DEBUG YES. The EVAL of a client runs in the debugger on a server of its own, in memory, with a
// copy of the dataset as it was then: other clients are served meanwhile, and what the script writes is gone with it.
//
//   client (blocked) ─▶ a snapshot is loaded into the copy ─▶ EVAL there; bytes go back and forth ─▶ client is closed
//
// Always: the copy writes no file, propagates nothing, and ends with the client or the session, whichever is first. It
// takes the memory of the dataset once more.

import { CLIENT_CLOSING, CLIENT_LUA_DEBUG, CLIENT_LUA_DEBUG_SYNC, type Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { reasonOf } from '../lib/reason.ts'
import { Slice } from '../lib/slice.ts'
import type { MemorySocket } from '../net/memory.ts'
import { CopySink } from '../persistence/copy-sink.ts'
import { jobParts, rdbOptions } from '../persistence/parts.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { SnapshotJob } from '../persistence/snapshot-job.ts'
import { SnapshotWriter } from '../persistence/snapshot-writer.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import type { System } from '../system/system.ts'
import { virtualSystem } from '../system/virtual.ts'
import { hiddenServer } from './hidden-server.ts'
import type { Server } from './server.ts'

/** Another snapshot is running: looked at again after this. */
const RETRY_MS = 50

interface DebugCopyParts {
  engine: Engine
  persistence: Persistence
  system: System
  databases: number
}

export class DebugCopies {
  private readonly parts: DebugCopyParts
  private readonly sessions = new Map<Client, MemorySocket>()

  constructor(parts: DebugCopyParts) {
    this.parts = parts
    parts.engine.onClientDisconnected.push(client => this.end(client))
  }

  /** The client is blocked in its EVAL. */
  start(client: Client): void {
    this.empty().then(
      copy => this.fill(client, copy),
      error => this.fail(client, error),
    )
  }

  /** A server without data; nothing but its own client drives it. */
  private empty(): Promise<Server> {
    const { system, databases } = this.parts
    const around = { ...virtualSystem().system, timers: system.timers }
    return hiddenServer(system, around, `databases ${databases}`)
  }

  /** Loads a snapshot of this moment into the copy. */
  private fill(client: Client, copy: Server): void {
    const { engine, persistence, system } = this.parts
    const { slot } = persistence
    if (client.has(CLIENT_CLOSING)) return
    if (!slot.acquire('copy')) {
      system.timers.after(RETRY_MS, () => this.fill(client, copy))
      return
    }
    const options = rdbOptions(persistence.parts, false)
    const job = new SnapshotJob(
      jobParts(persistence.parts),
      new CopySink(copy.persistence.parts, system.timers.soon),
      to => new SnapshotWriter(engine.keyspace, to, options),
      error => {
        slot.release('copy')
        if (error !== null) this.fail(client, error)
        else this.open(client, copy)
      },
    )
    slot.started(job)
  }

  private fail(client: Client, error: unknown): void {
    const { engine } = this.parts
    engine.boundary.guard(() =>
      engine.blocking.abort(client, `ERR the dataset could not be copied: ${reasonOf(error)}`),
    )
  }

  /** Runs the EVAL on the copy. */
  private open(client: Client, copy: Server): void {
    const { engine } = this.parts
    if (client.has(CLIENT_CLOSING) || client.blocked === undefined) return
    const socket = copy.memory.connect()
    const debugging = [...copy.engine.clients.values()][0]
    debugging.db = copy.engine.keyspace.databases[client.db.index]
    debugging.resp = client.resp
    debugging.authenticated = true
    debugging.flags |= CLIENT_LUA_DEBUG | CLIENT_LUA_DEBUG_SYNC
    if (client.user !== undefined) copy.engine.acl.adopt(debugging, client.user)
    this.sessions.set(client, socket)
    socket.onData = bytes => {
      engine.replyTo(client, reply => reply.raw(new Slice(bytes, 0, bytes.length)))
      engine.output.flushPending()
    }
    socket.onClose = () => {
      this.sessions.delete(client)
      engine.closeClient(client, true)
    }
    const { entry, args } = client.blocked.command
    client.blocked.onInput = () => this.parts.system.timers.soon(() => this.forward(client))
    const writer = new CommandWriter()
    writer.command([Slice.of(entry.fullName), ...args.slice(1)])
    socket.write(writer.take())
    this.forward(client)
  }

  /** Hands on what the client has sent. */
  private forward(client: Client): void {
    const socket = this.sessions.get(client)
    const { query, queryStart, queryEnd } = client
    if (socket === undefined || query === undefined || queryStart === queryEnd) return
    client.queryStart = client.queryEnd = 0
    socket.write(query.slice(queryStart, queryEnd))
  }

  private end(client: Client): void {
    const socket = this.sessions.get(client)
    this.sessions.delete(client)
    socket?.close()
  }
}
