// RdbWriter: writes the parts of an RDB file in order into an RdbOutput; format.ts has that order.

import type { Keyspace } from '../../keyspace/keyspace.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { type ValueCodecs, ValueWriters } from '../values/value-codecs.ts'
import {
  MAGIC,
  OP_AUX,
  OP_EOF,
  OP_EXPIRETIME_MS,
  OP_FREQ,
  OP_FUNCTION2,
  OP_IDLE,
  OP_RESIZEDB,
  OP_SELECTDB,
  RDB_VERSION_WRITTEN,
} from './format.ts'
import type { RdbOutput } from './output.ts'

/** The access figure that is written with each key. */
export type AccessRecord = 'none' | 'idle' | 'frequency'

export class RdbWriter {
  /** By maxmemory-policy: LRU idle time or LFU frequency. */
  access: AccessRecord = 'none'
  readonly values: ValueWriters
  private readonly space: Keyspace
  private readonly key = new Slice()

  constructor(space: Keyspace, codecs: ValueCodecs) {
    this.space = space
    this.values = new ValueWriters(space, codecs)
  }

  header(out: RdbOutput): void {
    out.text(MAGIC + String(RDB_VERSION_WRITTEN).padStart(4, '0'))
  }

  aux(out: RdbOutput, name: string, value: string): void {
    out.byte(OP_AUX)
    out.textString(name)
    out.textString(value)
  }

  library(out: RdbOutput, code: Slice): void {
    out.byte(OP_FUNCTION2)
    out.string(code)
  }

  selectDb(out: RdbOutput, index: number): void {
    out.byte(OP_SELECTDB)
    out.length(index)
  }

  sizes(out: RdbOutput, keys: number, expires: number): void {
    out.byte(OP_RESIZEDB)
    out.length(keys)
    out.length(expires)
  }

  /** Everything of a key before its value, which values.step() writes. */
  beginKey(out: RdbOutput, entry: Ref): void {
    const { entries } = this.space
    const expiryMs = entries.exactExpiryOf(entry)
    if (expiryMs >= 0) {
      out.byte(OP_EXPIRETIME_MS)
      out.int64(expiryMs)
    }
    if (this.access !== 'none') this.accessOf(out, entry)
    const { values } = this
    out.byte(values.rdbType(entry))
    const key = entries.keyOf(entry, this.key)
    // In an index of keys that a restart waits for nothing is packed.
    if (values.places === undefined) out.string(key)
    else {
      out.length(key.len)
      out.bytes(key.u8, key.dv, key.off, key.len)
    }
    values.begin(entry)
  }

  private accessOf(out: RdbOutput, entry: Ref): void {
    const { entries } = this.space
    if (this.access === 'idle') {
      out.byte(OP_IDLE)
      return out.length(entries.idleSecondsOf(entry))
    }
    out.byte(OP_FREQ)
    out.byte(entries.frequencyOf(entry))
  }

  end(out: RdbOutput): void {
    out.byte(OP_EOF)
  }
}
