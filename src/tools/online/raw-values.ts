// Raw values: values of an RDB file as the bytes they are, with the end that DUMP puts behind: what RESTORE takes.
//
//   file      type u8 | key string | value            payload   type u8 | value | version u16 | checksum 8
//
// Always: a value is passed over element by element and copied as it goes by, so that it need not be in the window
// whole (streams aside); nothing is looked into.

import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_STRING, TYPE_ZSET } from '../../keyspace/types.ts'
import { Crc64 } from '../../lib/crc64.ts'
import type { Slice } from '../../lib/slice.ts'
import * as format from '../../persistence/rdb/format.ts'
import type { RdbInput } from '../../persistence/rdb/input.ts'
import { RdbOutput } from '../../persistence/rdb/output.ts'
import type { ReaderTable } from '../../persistence/rdb/reader.ts'
import type { ValueReader } from '../../persistence/rdb/value.ts'

const ID_BYTES = 16
const KEPT_BYTES_MAX = 1 << 20

/** How the elements of a collection are passed over; a string stands for itself. */
const ELEMENTS: { readonly [rdbType: number]: (input: RdbInput) => void } = {
  [format.RDB_LIST]: input => input.skipString(),
  [format.RDB_SET]: input => input.skipString(),
  [format.RDB_LIST_QUICKLIST]: input => input.skipString(),
  [format.RDB_ZSET](input) {
    input.skipString()
    input.textDouble()
  },
  [format.RDB_ZSET_2](input) {
    input.skipString()
    input.double()
  },
  [format.RDB_HASH](input) {
    input.skipString()
    input.skipString()
  },
  [format.RDB_LIST_QUICKLIST_2](input) {
    input.length()
    input.skipString()
  },
}

const TYPES: { readonly [rdbType: number]: number } = {
  [format.RDB_STRING]: TYPE_STRING,
  [format.RDB_LIST]: TYPE_LIST,
  [format.RDB_SET]: TYPE_SET,
  [format.RDB_ZSET]: TYPE_ZSET,
  [format.RDB_HASH]: TYPE_HASH,
  [format.RDB_ZSET_2]: TYPE_ZSET,
  [format.RDB_HASH_ZIPMAP]: TYPE_HASH,
  [format.RDB_LIST_ZIPLIST]: TYPE_LIST,
  [format.RDB_SET_INTSET]: TYPE_SET,
  [format.RDB_ZSET_ZIPLIST]: TYPE_ZSET,
  [format.RDB_HASH_ZIPLIST]: TYPE_HASH,
  [format.RDB_LIST_QUICKLIST]: TYPE_LIST,
  [format.RDB_STREAM_LISTPACKS]: TYPE_STREAM,
  [format.RDB_HASH_LISTPACK]: TYPE_HASH,
  [format.RDB_ZSET_LISTPACK]: TYPE_ZSET,
  [format.RDB_LIST_QUICKLIST_2]: TYPE_LIST,
  [format.RDB_STREAM_LISTPACKS_2]: TYPE_STREAM,
  [format.RDB_SET_LISTPACK]: TYPE_SET,
  [format.RDB_STREAM_LISTPACKS_3]: TYPE_STREAM,
}

/** The first version of the format that has values of this type. */
export function versionOf(rdbType: number): number {
  if (rdbType >= format.RDB_SET_LISTPACK) return 11
  if (rdbType >= format.RDB_HASH_LISTPACK) return 10
  if (rdbType === format.RDB_STREAM_LISTPACKS) return 9
  return rdbType === format.RDB_ZSET_2 ? 8 : 7
}

/** Gathers the payload of one value after the other. */
export class RawValues implements ReaderTable, ValueReader {
  readonly encoding = 0
  readonly value = 0
  empty = false
  rdbType = 0
  private out = new RdbOutput(1024)
  private readonly crc = new Crc64()
  /** Elements to come; -1: their count has not been read. */
  private left = -1

  of(rdbType: number): ValueReader | undefined {
    return TYPES[rdbType] === undefined ? undefined : this
  }

  typeOf(rdbType: number): number {
    return TYPES[rdbType]
  }

  begin(rdbType: number, input: RdbInput): void {
    input.mark = input.pos
    this.open(rdbType)
  }

  private open(rdbType: number): void {
    if (this.out.u8.length > KEPT_BYTES_MAX) this.out = new RdbOutput(1024)
    this.rdbType = rdbType
    this.left = -1
    this.empty = false
    this.out.pos = 0
    this.out.byte(rdbType)
  }

  step(input: RdbInput, until: number): boolean {
    const from = input.pos
    input.mark = from
    try {
      return this.pass(input, until)
    } finally {
      this.out.bytes(input.u8, input.dv, from, input.mark - from)
    }
  }

  private pass(input: RdbInput, until: number): boolean {
    const element = ELEMENTS[this.rdbType]
    if (element === undefined) {
      if (TYPES[this.rdbType] === TYPE_STREAM) passStream(input, this.rdbType)
      else input.skipString()
      input.mark = input.pos
      return true
    }
    if (this.left < 0) {
      this.left = input.length()
      this.empty = this.left === 0
      input.mark = input.pos
    }
    for (; this.left > 0; this.left--) {
      if (input.pos > until) return false
      element(input)
      input.mark = input.pos
    }
    return true
  }

  discard(): void {}

  /** The payload of what was read; valid until the next value. */
  payload(): Uint8Array {
    const { out } = this
    out.uint16(versionOf(this.rdbType))
    out.reserve(format.CHECKSUM_BYTES)
    this.crc.reset().update(out.u8, 0, out.pos).writeTo(out.u8, out.pos)
    out.pos += format.CHECKSUM_BYTES
    return out.u8.subarray(0, out.pos)
  }

  /** The payload of a string. */
  ofString(value: Slice): Uint8Array {
    this.open(format.RDB_STRING)
    this.out.string(value)
    return this.payload()
  }
}

function passStream(input: RdbInput, rdbType: number): void {
  for (let nodes = input.length(); nodes > 0; nodes--) {
    input.skipString()
    input.skipString()
  }
  const second = rdbType >= format.RDB_STREAM_LISTPACKS_2
  const third = rdbType >= format.RDB_STREAM_LISTPACKS_3
  // Length and last id; then the first id, the largest deleted id and how many were added.
  for (let numbers = second ? 8 : 3; numbers > 0; numbers--) input.length64()
  for (let groups = input.length(); groups > 0; groups--) {
    input.skipString()
    for (let numbers = second ? 3 : 2; numbers > 0; numbers--) input.length64()
    for (let pending = input.length(); pending > 0; pending--) {
      passBytes(input, ID_BYTES + 8)
      input.length64()
    }
    for (let consumers = input.length(); consumers > 0; consumers--) {
      input.skipString()
      passBytes(input, third ? 16 : 8)
      for (let pending = input.length(); pending > 0; pending--) passBytes(input, ID_BYTES)
    }
  }
}

function passBytes(input: RdbInput, bytes: number): void {
  input.need(bytes)
  input.pos += bytes
}
