// RdbBuilder: builds an RDB file from DUMP payloads, which have the same value format.
//
// Always: the version is that of the payloads: the server that made them can read the file.

import { Crc64 } from '../../lib/crc64.ts'
import { Slice } from '../../lib/slice.ts'
import {
  CHECKSUM_BYTES,
  MAGIC,
  OP_AUX,
  OP_EOF,
  OP_EXPIRETIME_MS,
  OP_FUNCTION2,
  OP_SELECTDB,
  RDB_VERSION_MAX,
  RDB_VERSION_WRITTEN,
} from '../../persistence/rdb/format.ts'
import { RdbOutput } from '../../persistence/rdb/output.ts'
import { ToolError } from '../command-line.ts'
import type { CopiedKey } from './scan-source.ts'

const FOOTER_BYTES = 2 + CHECKSUM_BYTES
const CHUNK_BYTES = 1 << 20

export class RdbBuilder {
  readonly version: number
  private readonly out = new RdbOutput(CHUNK_BYTES)
  private readonly crc = new Crc64()
  private readonly write: (u8: Uint8Array, length: number) => void
  private database = -1

  /** `sample`: a payload of the server. `write` must copy the bytes before it returns. */
  constructor(sample: Uint8Array | undefined, write: (u8: Uint8Array, length: number) => void) {
    this.version = sample === undefined ? RDB_VERSION_WRITTEN : payloadVersion(sample)
    this.write = write
    if (this.version > RDB_VERSION_MAX)
      throw new ToolError(`the server writes version ${this.version} of the format: newer than ${RDB_VERSION_MAX}`)
    this.out.text(MAGIC + String(this.version).padStart(4, '0'))
  }

  aux(name: string, value: string): void {
    this.out.byte(OP_AUX)
    this.out.textString(name)
    this.out.textString(value)
  }

  library(code: Uint8Array): void {
    this.out.byte(OP_FUNCTION2)
    this.out.string(new Slice(code, 0, code.length))
  }

  key(database: number, { key, payload, expiryMs }: CopiedKey): void {
    const { out } = this
    if (database !== this.database) {
      this.database = database
      out.byte(OP_SELECTDB)
      out.length(database)
    }
    if (expiryMs >= 0) {
      out.byte(OP_EXPIRETIME_MS)
      out.int64(expiryMs)
    }
    out.byte(payload[0])
    out.string(new Slice(key, 0, key.length))
    out.slice(new Slice(payload, 1, payload.length - 1 - FOOTER_BYTES))
    if (out.pos >= CHUNK_BYTES) this.send()
  }

  end(): void {
    const { out } = this
    out.byte(OP_EOF)
    this.crc.update(out.u8, 0, out.pos)
    out.reserve(CHECKSUM_BYTES)
    this.crc.writeTo(out.u8, out.pos)
    this.write(out.u8, out.pos + CHECKSUM_BYTES)
  }

  private send(): void {
    const { out } = this
    this.crc.update(out.u8, 0, out.pos)
    this.write(out.u8, out.pos)
    out.pos = 0
  }
}

function payloadVersion(payload: Uint8Array): number {
  const at = payload.length - FOOTER_BYTES
  return payload[at] | (payload[at + 1] << 8)
}
