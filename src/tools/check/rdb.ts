// Checks an RDB by reading every value in it as a server would, one at a time: no more memory than the largest takes.

import { Engine } from '../../engine/engine.ts'
import { TYPE_NAMES } from '../../keyspace/types.ts'
import type { Slice } from '../../lib/slice.ts'
import { RdbError } from '../../persistence/rdb/input.ts'
import type { KeyAttributes, RdbTarget } from '../../persistence/rdb/reader.ts'
import type { ValueReader } from '../../persistence/rdb/value.ts'
import { ValueReaders } from '../../persistence/rdb/values.ts'
import { RdbFileReader } from '../../persistence/rdb-file.ts'
import type { Machine } from '../command-line.ts'
import type { Fault, RdbFindings } from './findings.ts'

const SLICE_BYTES = 4 << 20

/** Counts what it is given, and lets it go. */
class Counter implements RdbTarget {
  readonly fields = new Map<string, string>()
  readonly types = new Map<string, number>()
  readonly databases = new Set<number>()
  readonly modules = new Set<string>()
  keys = 0
  withExpiry = 0
  expired = 0
  empty = 0
  libraries = 0
  /** The first key with nothing under it. */
  firstEmpty: Fault | undefined
  offset: () => number = () => 0
  private db = 0
  private readonly nowMs: number

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  aux(name: Slice, value: Slice): void {
    this.fields.set(name.latin1(), value.latin1())
  }

  selectDb(index: number): boolean {
    this.db = index
    return true
  }

  expect(): void {}

  stringKey(_key: Slice, _value: Slice, attributes: KeyAttributes): void {
    this.count('string', attributes)
  }

  key(_key: Slice, type: number, reader: ValueReader, attributes: KeyAttributes): void {
    reader.discard()
    this.count(TYPE_NAMES[type], attributes)
  }

  private count(type: string, { expiryMs }: KeyAttributes): void {
    this.keys++
    this.databases.add(this.db)
    this.types.set(type, (this.types.get(type) ?? 0) + 1)
    if (expiryMs === -1) return
    this.withExpiry++
    if (expiryMs < this.nowMs) this.expired++
  }

  emptyKey(key: Slice): void {
    this.empty++
    this.firstEmpty ??= {
      offset: this.offset(),
      message: `Before here stands the key '${printable(key.latin1())}' with nothing in it: a server passes over it.`,
    }
  }

  library(): undefined {
    this.libraries++
  }

  moduleData(moduleName: string, key: Slice | undefined): undefined {
    this.modules.add(moduleName)
    if (key !== undefined) this.keys++
  }
}

/** An engine without commands: a room to read values in. */
export function readingRoom({ clock, random }: Pick<Machine, 'clock' | 'random'>): Engine {
  return new Engine(
    {
      nowMs: () => clock.nowMs(),
      monotonicUs: () => clock.monotonicUs(),
      random: () => random.u32(),
      soon: () => {},
    },
    [],
    1,
  )
}

/** Checks the RDB at the beginning of the open file `fd`. Throws DiskError. */
export function checkRdb(machine: Machine, fd: number, progress: (offset: number) => void): RdbFindings {
  const engine = readingRoom(machine)
  const readers = new ValueReaders(engine.keyspace, engine.settings)
  readers.options.deep = true
  const counter = new Counter(machine.clock.nowMs())
  const file = new RdbFileReader(machine.disk, fd, 0, readers, counter, true)
  const { reader } = file
  counter.offset = () => file.offset
  const findings: RdbFindings = {
    version: 0,
    fields: counter.fields,
    keys: 0,
    types: counter.types,
    withExpiry: 0,
    expired: 0,
    empty: 0,
    databases: 0,
    libraries: 0,
    loads: false,
    modules: counter.modules,
    checksum: 'not reached',
    end: 0,
    wholeTo: 0,
  }
  try {
    while (!file.slice(SLICE_BYTES)) progress(file.offset)
    findings.checksum = reader.version < 5 || reader.unchecked ? 'absent' : 'right'
    findings.fault = counter.firstEmpty
    findings.loads = true
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    const key = reader.currentKey
    const where = key === '' ? reader.doing : `reading the value of the key '${printable(key)}'`
    findings.fault = { offset: error.offset, message: `${error.message} (${where})` }
    if (error.message === WRONG_CHECKSUM) findings.checksum = 'wrong'
    reader.discard()
  }
  findings.version = reader.version
  findings.keys = counter.keys
  findings.withExpiry = counter.withExpiry
  findings.expired = counter.expired
  findings.empty = counter.empty
  findings.databases = counter.databases.size
  findings.libraries = counter.libraries
  findings.end = file.offset
  findings.wholeTo = reader.wholeTo
  return findings
}

const WRONG_CHECKSUM = 'RDB CRC error'
const KEY_CHARS_MAX = 100

/** Latin-1 text with everything escaped that a terminal might take for an order. */
export function printable(text: string): string {
  const shown = text.length > KEY_CHARS_MAX ? `${text.slice(0, KEY_CHARS_MAX)}…` : text
  return shown.replace(/[^ -~…]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
