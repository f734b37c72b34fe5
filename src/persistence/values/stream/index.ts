// The codec of streams.

import { TYPE_STREAM } from '../../../keyspace/types.ts'
import { ID_BYTES } from '../../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../../keyspace/values/stream/stream-type.ts'
import { RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_2, RDB_STREAM_LISTPACKS_3 } from '../../rdb/format.ts'
import type { RdbInput } from '../../rdb/input.ts'
import type { ValueCodec } from '../value-codec.ts'
import { StreamReader } from './reader.ts'
import { StreamRewriter } from './rewriter.ts'
import { StreamWriter } from './writer.ts'

const TIME_BYTES = 8

export const streamCodec: ValueCodec = {
  type: TYPE_STREAM,
  forms: [
    { rdbType: RDB_STREAM_LISTPACKS, version: 9, counted: false, skip: input => skipStream(input, 1) },
    { rdbType: RDB_STREAM_LISTPACKS_2, version: 10, counted: false, skip: input => skipStream(input, 2) },
    { rdbType: RDB_STREAM_LISTPACKS_3, version: 11, counted: false, skip: input => skipStream(input, 3) },
  ],
  writer: space => new StreamWriter(StreamType.of(space)),
  reader: ({ space, options }) => new StreamReader(StreamType.of(space), options),
  rewriter: space => new StreamRewriter(StreamType.of(space)),
}

/** The layout is drawn in reader.ts. */
function skipStream(input: RdbInput, form: number): void {
  for (let nodes = input.length(); nodes > 0; nodes--) {
    input.skipString()
    input.skipString()
  }
  // Length and last id; then first id, largest deleted id and entries added.
  for (let numbers = form >= 2 ? 8 : 3; numbers > 0; numbers--) input.length64()
  for (let groups = input.length(); groups > 0; groups--) {
    input.skipString()
    for (let numbers = form >= 2 ? 3 : 2; numbers > 0; numbers--) input.length64()
    for (let pending = input.length(); pending > 0; pending--) {
      skipBytes(input, ID_BYTES + TIME_BYTES)
      input.length64()
    }
    for (let consumers = input.length(); consumers > 0; consumers--) {
      input.skipString()
      skipBytes(input, form >= 3 ? 2 * TIME_BYTES : TIME_BYTES)
      for (let pending = input.length(); pending > 0; pending--) skipBytes(input, ID_BYTES)
    }
  }
}

function skipBytes(input: RdbInput, bytes: number): void {
  input.need(bytes)
  input.pos += bytes
}
