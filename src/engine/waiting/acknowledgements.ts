// Acknowledgements: clients blocked until their writes have reached replicas (WAIT) or disks (WAITAOF). The append-only
// file and replication report their progress here.
//
// Always: a client in `waiting` is blocked here, or is dropped at the next processClientsWaitingReplicas().

import type { Reply } from '../../protocol/reply.ts'
import type { BlockState, Client } from '../client.ts'
import type { Context } from '../context.ts'
import type { Engine } from '../engine.ts'

/** numlocal, numreplicas. */
interface WaitTarget {
  /** 1: our own append-only file must be fsynced. */
  local: number
  replicas: number
  /** WAITAOF: replicas count when they have fsynced. */
  onDisk: boolean
}

interface Waiting {
  client: Client
  state: BlockState
  wanted: WaitTarget
}

export const NO_LOCAL_LOG = 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.'

export class Acknowledgements {
  /** True when all writes of a client are fsynced here; undefined while there is no append-only file. */
  isOnDisk: ((client: Client) => boolean) | undefined
  /** Number of replicas that have all writes of a client; undefined: there are none. */
  replicasWith: ((client: Client, onDisk: boolean) => number) | undefined
  /** The append-only file is turned on or off. */
  logChanged: ((isOn: boolean) => void) | undefined
  /** Sends GETACK to replicas. */
  requestAcks: (() => void) | undefined
  private readonly engine: Engine
  private waiting: Waiting[] = []

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Replies as soon as there are enough copies, or after `timeoutMs` (0: never) with their number then. */
  wait(ctx: Context, wanted: WaitTarget, timeoutMs: number): void {
    const { client } = ctx
    if (!ctx.canBlock || this.enough(client, wanted)) return this.write(ctx.reply, client, wanted)
    this.engine.blocking.blockOther(client, timeoutMs, () => this.answer(client, wanted), ctx)
    this.waiting.push({ client, state: client.blocked!, wanted })
    this.requestAcks?.()
  }

  /** The append-only file was fsynced, or a replica has acknowledged. */
  processClientsWaitingReplicas(): void {
    if (this.waiting.length === 0) return
    const still: Waiting[] = []
    for (const item of this.waiting) {
      const { client, wanted } = item
      if (client.blocked !== item.state) continue
      if (wanted.local > 0 && this.isOnDisk === undefined) this.engine.blocking.abort(client, NO_LOCAL_LOG)
      else if (!this.enough(client, wanted)) still.push(item)
      else {
        this.answer(client, wanted)
        this.engine.blocking.finish(client)
      }
    }
    this.waiting = still
  }

  private local(client: Client): number {
    return this.isOnDisk?.(client) ? 1 : 0
  }

  private replicas(client: Client, wanted: WaitTarget): number {
    return this.replicasWith?.(client, wanted.onDisk) ?? 0
  }

  private enough(client: Client, wanted: WaitTarget): boolean {
    return this.local(client) >= wanted.local && this.replicas(client, wanted) >= wanted.replicas
  }

  private answer(client: Client, wanted: WaitTarget): void {
    this.engine.answer(client, reply => this.write(reply, client, wanted))
  }

  private write(reply: Reply, client: Client, wanted: WaitTarget): void {
    if (wanted.onDisk) {
      reply.array(2)
      reply.integer(this.local(client))
    }
    reply.integer(this.replicas(client, wanted))
  }
}
