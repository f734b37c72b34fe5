// The codec of strings.

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_INT, TYPE_STRING } from '../../keyspace/types.ts'
import type { StringType } from '../../keyspace/values/string/string-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_STRING } from '../rdb/format.ts'
import type { RdbOutput } from '../rdb/output.ts'
import type { RewriteOutput } from './rewrite-output.ts'
import { type ValueCodec, type ValueRewriter, type ValueWriter, wholeString } from './value-codec.ts'

class StringWriter implements ValueWriter {
  private readonly type: StringType
  private readonly s = new Slice()
  private begun = false

  constructor(type: StringType) {
    this.type = type
  }

  rdbType(): number {
    return RDB_STRING
  }

  begin(entries: Entries, entry: Ref): void {
    this.type.textOf(entry, this.s)
    // The scratch buffer of integers is reused by the next one.
    if (entries.encodingOf(entry) === ENC_INT) this.s.alias(this.s.copy())
    this.begun = false
  }

  step(out: RdbOutput, until: number): boolean {
    if (!this.begun) {
      this.begun = true
      out.element(this.s)
    }
    return out.ready(until)
  }
}

class StringRewriter implements ValueRewriter {
  private readonly type: StringType
  private readonly text = new Slice()

  constructor(type: StringType) {
    this.type = type
  }

  *rewrite(key: Slice, _entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    to.begin('SET', key, 1)
    const text = this.type.textOf(entry, this.text)
    if (!to.wrote(text)) yield* to.writePieces(text)
  }
}

export const stringCodec: ValueCodec = {
  type: TYPE_STRING,
  forms: [wholeString(RDB_STRING, 7)],
  writer: space => new StringWriter(space.strings),
  rewriter: space => new StringRewriter(space.strings),
}
