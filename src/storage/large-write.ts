// LargeWrite: appends the value of an entry in steps between which other commands run.
//
// Always: the value does not change, move or go between the steps; else its owner abandons this.

import type { RdbOutput } from '../persistence/rdb/output.ts'
import type { ValueWriters } from '../persistence/values/value-codecs.ts'
import type { LargeAppend } from './large-append.ts'

const STEP_BYTES = 16 * 1024
const SPARES_MAX = 2

/** What writes a value, used again: the collector frees such memory late. */
export interface Encoder {
  readonly writers: ValueWriters
  readonly output: RdbOutput
}

export class LargeWrite {
  isDone = false
  /** Why the value cannot be written. */
  failure: string | undefined
  private readonly encoder: Encoder
  private readonly append: LargeAppend
  private readonly spares: Encoder[]

  /** `encoder` has begun the value, and is in `spares` when it has ended it. */
  constructor(encoder: Encoder, append: LargeAppend, spares: Encoder[]) {
    this.encoder = encoder
    this.append = append
    this.spares = spares
    const { output } = encoder
    append.add(output.u8, 0, output.pos)
  }

  /** Appends some kilobytes; true at the end: there is a failure, or log.last is the place of the record. */
  step(): boolean {
    const { append, encoder, spares } = this
    const { output, writers } = encoder
    output.pos = 0
    const isWhole = writers.step(output, STEP_BYTES)
    this.failure = writers.takeFailure()
    append.add(output.u8, 0, output.pos)
    this.isDone = isWhole || this.failure !== undefined
    if (this.failure !== undefined) append.abandon()
    else if (isWhole) {
      append.finish()
      if (spares.length < SPARES_MAX) spares.push(encoder)
    }
    return this.isDone
  }

  /** The record is of no use. */
  abandon(): void {
    if (!this.isDone) this.append.abandon()
    this.isDone = true
  }
}
