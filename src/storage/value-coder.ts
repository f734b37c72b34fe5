// ValueCoder: values of entries in their RDB encoding, to records of the value log and from them.
//
// Always: a value gets the encoding back that it had, whatever the limits of encodings are now. What is longer than a
// frame is written and built in steps.

import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { ENC_HASHTABLE, ENC_SKIPLIST, TYPE_STRING } from '../keyspace/types.ts'
import type { EncodingLimits } from '../keyspace/value-type.ts'
import { viewOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { RdbInput, RdbString } from '../persistence/rdb/input.ts'
import { RdbOutput } from '../persistence/rdb/output.ts'
import { type ValueCodecs, ValueReaders, ValueWriters } from '../persistence/values/value-codecs.ts'
import { limitsFor } from './encoding-limits.ts'
import { LargeAppend } from './large-append.ts'
import { LargeLoad } from './large-load.ts'
import { type Encoder, LargeWrite } from './large-write.ts'
import { FRAME_BYTES } from './record.ts'
import type { ValueLog } from './value-log.ts'

const OUTPUT_BYTES = 4096
const KEPT_BYTES_MAX = 1 << 20

export class ValueCoder {
  /** The string that build() has read. */
  readonly text = new RdbString()
  private readonly space: Keyspace
  private readonly limits: EncodingLimits
  private readonly codecs: ValueCodecs
  private readonly log: ValueLog
  private writers: ValueWriters
  /** Readers of values in compact encodings, and of those in tables and trees. */
  private readonly compact: ValueReaders
  private readonly large: ValueReaders
  private output = newOutput()
  /** For values that are encoded while a large one is. */
  private readonly spares: Encoder[] = []
  private readonly input = new RdbInput()
  private readonly key = new Slice()

  constructor(space: Keyspace, limits: EncodingLimits, codecs: ValueCodecs, log: ValueLog) {
    this.space = space
    this.limits = limits
    this.codecs = codecs
    this.log = log
    this.writers = new ValueWriters(space, codecs)
    this.compact = new ValueReaders(space, limitsFor(limits, true), codecs)
    this.large = new ValueReaders(space, limitsFor(limits, false), codecs)
  }

  /**
   * Appends the value of an entry: log.last is its place. Of a large one only the begin is appended, and the rest
   * returned. 'failed': its type cannot write it. Throws a DiskError.
   */
  append(entry: Ref): 'whole' | 'failed' | LargeWrite {
    const { output, writers } = this
    const key = this.space.entries.keyOf(entry, this.key)
    output.pos = 0
    output.byte(writers.rdbType(entry))
    writers.begin(entry)
    const isWhole = writers.step(output, FRAME_BYTES)
    if (writers.takeFailure() !== undefined) return 'failed'
    if (!isWhole) return this.beginLarge(key)
    this.log.append(key, output.u8, output.pos)
    if (output.u8.length > KEPT_BYTES_MAX) output.renew(OUTPUT_BYTES)
    return 'whole'
  }

  private beginLarge(key: Slice): LargeWrite {
    const { output, writers, spares } = this
    const spare = spares.pop()
    // Where no segment can be made, these are in the middle of a value, and of no use.
    this.output = spare?.output ?? newOutput()
    this.writers = spare?.writers ?? new ValueWriters(this.space, this.codecs)
    return new LargeWrite({ writers, output }, new LargeAppend(this.log, key), spares)
  }

  /** Builds the value of an entry: its ref, or 0 for a string, which is in `text`. Sets its encoding. */
  build(entry: Ref, encoded: Uint8Array): Ref {
    const { entries } = this.space
    const dv = viewOf(encoded)
    const input = this.input.open(encoded, dv, 0, encoded.length)
    const rdbType = input.byte()
    if (entries.typeOf(entry) === TYPE_STRING) {
      this.text.copyFrom(input.string(this.text))
      return 0
    }
    const reader = (this.isCompact(entry) ? this.compact : this.large).of(rdbType)
    if (reader === undefined) throw new UnreadableValue(`RDB type ${rdbType} is unknown`)
    reader.begin(rdbType, input)
    reader.step(input, Number.POSITIVE_INFINITY)
    this.setEncoding(entry, reader.encoding)
    return reader.value
  }

  /** Begins to build the value of an entry. Throws UnreadableValue. */
  beginLoad(entry: Ref, place: ValuePlace): LargeLoad {
    const { space, log } = this
    const readers = new ValueReaders(space, limitsFor(this.limits, this.isCompact(entry)), this.codecs)
    return new LargeLoad(space, space.entries.typeOf(entry), readers, log, place)
  }

  private isCompact(entry: Ref): boolean {
    const encoding = this.space.entries.encodingOf(entry)
    return encoding !== ENC_HASHTABLE && encoding !== ENC_SKIPLIST
  }

  setEncoding(entry: Ref, encoding: number): void {
    const { arena } = this.space
    const u8 = arena.u8(entry)
    const at = arena.at(entry)
    u8[at] = (u8[at] & 0xf0) | encoding
  }
}

function newOutput(): RdbOutput {
  const output = new RdbOutput(OUTPUT_BYTES)
  output.compress = false
  return output
}
