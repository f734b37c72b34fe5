// Strings in RDB files and DUMP payloads.

import type { Database } from '../../keyspace/database.ts'
import { ENC_INT } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_STRING } from './format.ts'
import type { RdbOutput } from './output.ts'
import type { ValueWriter } from './value.ts'

export class StringWriter implements ValueWriter {
  private readonly s = new Slice()
  private begun = false

  rdbType(): number {
    return RDB_STRING
  }

  begin(db: Database, entry: Ref): void {
    db.stringOf(entry, this.s)
    // An integer's text stands where the next one will be written.
    if (db.encodingOf(entry) === ENC_INT) this.s.alias(this.s.copy())
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
