// SlotMeter: what CLUSTER SLOT-STATS shows besides the number of keys, while cluster-slot-stats-enabled says so: time
// and bytes of commands by the slot of their keys. It runs the commands that clients and the primary send, and reads
// counters before and after.
//
// Always: a command counts for one slot or for none (it has no keys, or is a script with keys of several slots). What
// it sends to others counts with it: to subscribers, replicas, and the client that it unblocks (its key has that slot).

import type { TableEntry } from '../engine/catalog/table.ts'
import { CLIENT_MASTER, type Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { Slice } from '../lib/slice.ts'
import { SLOTS } from './bitmap.ts'
import type { RedirectGate } from './redirect.ts'

/** *1 $5 MULTI: it has no slot yet, and counts with its EXEC. */
const MULTI_BYTES = 15

/** The counters that a slot has. */
export const METERED = ['cpu-usec', 'network-bytes-in', 'network-bytes-out'] as const
export type Metered = (typeof METERED)[number]

/** What the meter needs of replication. */
interface MeteredStream {
  /** Bytes of the stream ever. */
  readonly offset: number
  readonly replicas: number
}

export class SlotMeter {
  readonly counters: Readonly<Record<Metered, Float64Array>> = {
    'cpu-usec': new Float64Array(SLOTS),
    'network-bytes-in': new Float64Array(SLOTS),
    'network-bytes-out': new Float64Array(SLOTS),
  }
  private readonly engine: Engine
  private readonly gate: RedirectGate
  private readonly stream: MeteredStream

  constructor(engine: Engine, gate: RedirectGate, stream: MeteredStream) {
    this.engine = engine
    this.gate = gate
    this.stream = stream
  }

  reset(slot: number): void {
    for (const name of METERED) this.counters[name][slot] = 0
  }

  resetAll(): void {
    for (const name of METERED) this.counters[name].fill(0)
  }

  /** Runs one parsed command of a client. */
  run(client: Client, args: Slice[], argc: number): void {
    const { engine, gate, stream, counters } = this
    const { dispatch, reply, stats, input } = engine
    const isPrimary = client.has(CLIENT_MASTER)
    const usBefore = dispatch.timedUs
    const streamBefore = stream.offset
    const outBefore = stats.netOutputBytes + reply.pos
    gate.commandSlot = -1
    dispatch.run(client, args, argc)
    const entry = client.lastCommand
    if (entry === undefined) return
    const slot = isPrimary ? this.slotOf(entry, args, argc) : gate.commandSlot
    if (slot < 0) return
    counters['cpu-usec'][slot] += dispatch.timedUs - usBefore
    counters['network-bytes-in'][slot] += input.commandBytes + (entry.fullName === 'exec' ? MULTI_BYTES : 0)
    if (isPrimary) return
    // Replies to this client are in the reply buffer; those to others, and what a long one had no space for, are sent.
    const written = stats.netOutputBytes + reply.pos - outBefore
    const streamed = stream.offset === streamBefore ? 0 : (stream.offset - streamBefore) * stream.replicas
    counters['network-bytes-out'][slot] += Math.max(0, written) + streamed
  }

  private slotOf(entry: TableEntry, args: Slice[], argc: number): number {
    return entry.takes(argc) ? this.gate.slotOfKeys(entry, args, argc) : -1
  }
}
