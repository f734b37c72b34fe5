// LargePayloads: RESTORE of a large payload: it is read in slices before the command runs, while others are served.
//
//   a large argument begins to arrive ─▶ the gate 'largePayload' is set
//   RESTORE, whole ─▶ POSTPONE ─▶ [slice: checksum, elements] … ─▶ released: judged again, and the value is there
//
// Always: until the command runs there is no key; a value that it does not take is freed, in slices. In transactions
// and scripts, and in a file, RESTORE reads its payload at once.

import { isSanitized } from '../commands/shared/sanitizing.ts'
import type { Client } from '../engine/client.ts'
import { CLIENT_MULTI } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { type Gate, POSTPONE } from '../engine/gates.ts'
import type { LargeArguments } from '../engine/input.ts'
import { LARGE_ARGUMENT_BYTES } from '../engine/partial.ts'
import type { StepwiseRead } from '../engine/ports/payloads.ts'
import type { Background } from './background.ts'

/** A request that arrives during a slice waits for its end. */
const SLICE_US = 500
const NAMES: ReadonlySet<string> = new Set(['restore', 'restore-asking'])

export class LargePayloads implements LargeArguments {
  private readonly engine: Engine
  private readonly background: Background
  private readonly reads = new Map<Client, StepwiseRead>()
  /** Commands with a large argument that have not run yet. */
  private awaited = 0

  constructor(engine: Engine, background: Background) {
    this.engine = engine
    this.background = background
  }

  begin(): void {
    if (this.awaited++ === 0) this.engine.gates.set('largePayload', this.gate)
  }

  end(client: Client): void {
    const { engine, reads } = this
    reads.get(client)?.drop(engine.keyspace)
    reads.delete(client)
    engine.payloads.wasRead(undefined)
    if (--this.awaited === 0) engine.gates.set('largePayload', undefined)
  }

  forget(): void {
    const { engine, reads } = this
    for (const read of reads.values()) read.drop(engine.keyspace)
    reads.clear()
    engine.postponed.release('largePayload')
  }

  private readonly gate: Gate = (client, entry, args, argc, _flags, place) => {
    const { engine, reads } = this
    if (place !== 'client' || argc < 4 || !NAMES.has(entry.fullName) || client.has(CLIENT_MULTI)) return undefined
    const payload = args[3]
    if (payload.len < LARGE_ARGUMENT_BYTES) return undefined
    const known = reads.get(client)
    if (known === undefined || !known.isOf(payload)) {
      // Without options a key that exists is an error.
      if (argc === 4 && client.db.find(args[1]) !== 0) return undefined
      known?.drop(engine.keyspace)
      const deep = isSanitized({ settings: engine.settings, client })
      reads.set(client, engine.payloads.beginRead(payload, deep))
      this.background.start(this.slice)
      return POSTPONE
    }
    if (!known.isDone) return POSTPONE
    engine.payloads.wasRead(known)
    return undefined
  }

  /** True when nothing is left to be read. */
  private readonly slice = (limitUs: number): boolean => {
    const { machine, postponed } = this.engine
    const untilUs = machine.monotonicUs() + Math.min(limitUs, SLICE_US)
    for (const [client, read] of this.reads) {
      if (read.isDone) continue
      do
        if (read.step()) {
          postponed.releaseOne(client, 'largePayload')
          break
        }
      while (machine.monotonicUs() < untilUs)
      if (machine.monotonicUs() >= untilUs) return !this.isReading()
    }
    return true
  }

  private isReading(): boolean {
    for (const read of this.reads.values()) if (!read.isDone) return true
    return false
  }
}
