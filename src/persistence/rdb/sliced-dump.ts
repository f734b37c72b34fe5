// SlicedDump: the payload of a large value, made in steps between which other commands run.
//
//   chunks  [ type u8 | value … ][ … ][ … | RDB version u16 | CRC-64 of everything before ]
//
// Always: the value does not change, move or go between the steps.

import type { Keyspace } from '../../keyspace/keyspace.ts'
import { Crc64 } from '../../lib/crc64.ts'
import type { Ref } from '../../memory/arena.ts'
import { type ValueCodecs, ValueWriters } from '../values/value-codecs.ts'
import { CHECKSUM_BYTES, RDB_VERSION_WRITTEN } from './format.ts'
import { RdbOutput } from './output.ts'

const CHUNK_BYTES = 256 * 1024
/** A chunk with so much is whole: what a step adds fits without growing it, in most cases. */
const FULL_BYTES = CHUNK_BYTES - 16 * 1024
const STEP_BYTES = 4096

export class SlicedDump {
  readonly chunks: Uint8Array[] = []
  /** Of all chunks. */
  bytes = 0
  /** Why the value cannot be written. */
  failure: string | undefined
  private readonly writers: ValueWriters
  private readonly out = new RdbOutput(CHUNK_BYTES)
  private readonly crc = new Crc64()
  private summed = 0

  constructor(space: Keyspace, codecs: ValueCodecs, compress: boolean, entry: Ref) {
    this.writers = new ValueWriters(space, codecs)
    this.out.compress = compress
    this.out.byte(this.writers.rdbType(entry))
    this.writers.begin(entry)
  }

  /** Writes a few kilobytes; true when the payload is whole, or cannot be. */
  step(): boolean {
    const { out, writers, crc } = this
    const isDone = writers.step(out, out.pos + STEP_BYTES)
    this.failure = writers.takeFailure()
    if (this.failure !== undefined) return true
    if (isDone) out.uint16(RDB_VERSION_WRITTEN)
    crc.update(out.u8, this.summed, out.pos)
    this.summed = out.pos
    if (isDone) {
      out.reserve(CHECKSUM_BYTES)
      crc.writeTo(out.u8, out.pos)
      out.pos += CHECKSUM_BYTES
    }
    if (isDone || out.pos >= FULL_BYTES) this.endChunk(isDone)
    return isDone
  }

  private endChunk(isLast: boolean): void {
    const { out } = this
    this.chunks.push(out.u8.subarray(0, out.pos))
    this.bytes += out.pos
    out.renew(isLast ? 0 : CHUNK_BYTES)
    this.summed = 0
  }
}
