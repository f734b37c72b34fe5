// LargeWrite: appends the value of an entry in steps between which other commands run.
//
// Always: the value does not change, move or go between the steps; else its owner abandons this.

import type { RdbOutput } from '../persistence/rdb/output.ts'
import type { ValueWriters } from '../persistence/values/value-codecs.ts'
import type { LargeAppend } from './large-append.ts'

const STEP_BYTES = 16 * 1024

export class LargeWrite {
  isDone = false
  /** Why the value cannot be written. */
  failure: string | undefined
  private readonly writers: ValueWriters
  private readonly output: RdbOutput
  private readonly append: LargeAppend

  /** `writers` have begun the value, and are this one's; so is `output`, with what they have written. */
  constructor(writers: ValueWriters, output: RdbOutput, append: LargeAppend) {
    this.writers = writers
    this.output = output
    this.append = append
    append.add(output.u8, 0, output.pos)
  }

  /** Appends some kilobytes; true at the end: there is a failure, or log.last is the place of the record. */
  step(): boolean {
    const { output, append, writers } = this
    output.pos = 0
    const isWhole = writers.step(output, STEP_BYTES)
    this.failure = writers.takeFailure()
    append.add(output.u8, 0, output.pos)
    this.isDone = isWhole || this.failure !== undefined
    if (this.failure !== undefined) append.abandon()
    else if (isWhole) append.finish()
    return this.isDone
  }

  /** The record is of no use. */
  abandon(): void {
    if (!this.isDone) this.append.abandon()
    this.isDone = true
  }
}
