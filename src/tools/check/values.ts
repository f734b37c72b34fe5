// The files of values that a checkpoint names (docs/storage.md), for the check of their records.

import type { ValuePlace } from '../../keyspace/cold.ts'
import { Crc64 } from '../../lib/crc64.ts'
import { faultOf } from '../../storage/record.ts'
import { attempt, type FileSystem } from '../../system/system.ts'

const BASE_NAME = /^(.*)\.\d+\.(?:base|delta)\.checkpoint(\.fixed)?$/
const OPEN_MAX = 256

export class ValueFiles {
  /** Records that were looked at. */
  values = 0
  bytes = 0
  private readonly disk: FileSystem
  /** undefined: the name of the base does not tell. */
  private readonly folder: string | undefined
  private readonly open = new Map<number, number>()
  private readonly crc = new Crc64()

  constructor(disk: FileSystem, base: string) {
    this.disk = disk
    const found = BASE_NAME.exec(base)
    this.folder = found === null ? undefined : `${found[1]}.values`
  }

  /** What is wrong with a record; undefined: it is sound. */
  faultOf({ segment, offset, bytes }: ValuePlace): string | undefined {
    this.values++
    this.bytes += bytes
    if (this.folder === undefined) return 'the file is not named like a checkpoint, so its values are not found'
    const name = `value-${segment}.log`
    const fd = this.fdOf(segment, `${this.folder}/${name}`)
    if (fd < 0) return `${name} is missing`
    const record = new Uint8Array(Math.min(bytes, this.disk.fstat(fd).sizeBytes))
    for (let at = 0; at < record.length; ) {
      const got = this.disk.read(fd, record, at, record.length - at, offset + at)
      if (got === 0) return `${name} ends before ${offset + bytes}`
      at += got
    }
    const fault = faultOf(record, this.crc)
    return fault === undefined ? undefined : `${name} at ${offset}: ${fault}`
  }

  private fdOf(segment: number, path: string): number {
    const known = this.open.get(segment)
    if (known !== undefined) return known
    if (this.open.size === OPEN_MAX) this.close()
    let fd = -1
    attempt(() => {
      fd = this.disk.open(path, 'r')
    })
    if (fd >= 0) this.open.set(segment, fd)
    return fd
  }

  close(): void {
    for (const fd of this.open.values()) this.disk.close(fd)
    this.open.clear()
  }
}
