// Checks an RDB by reading every value as a server would, one at a time: memory is limited to the largest value.

import { Engine } from '../../engine/engine.ts'
import type { ValuePlace } from '../../keyspace/cold.ts'
import type { ValueTypes } from '../../keyspace/value-type.ts'
import type { Slice } from '../../lib/slice.ts'
import { RdbError } from '../../persistence/rdb/input.ts'
import type { KeyAttributes, RdbTarget } from '../../persistence/rdb/reader.ts'
import { RdbFileReader } from '../../persistence/rdb-file.ts'
import { builtInCodecs } from '../../persistence/values/index.ts'
import type { ValueReader } from '../../persistence/values/value-codec.ts'
import { ValueCodecs, ValueReaders } from '../../persistence/values/value-codecs.ts'
import type { Machine } from '../command-line.ts'
import { RawValues } from '../online/raw-values.ts'
import type { Fault, Range, RdbFindings } from './findings.ts'
import { ValueFiles } from './values.ts'

const SLICE_BYTES = 4 << 20

interface LostValue extends Range {
  key: string
  fault: string
}

/** Counts the file's content and frees it. */
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
  /** The first key with an empty collection. */
  firstEmpty: Fault | undefined
  offset: () => number = () => 0
  /** The bytes of the key that is being read. */
  position: () => Range = () => ({ from: 0, to: 0 })
  /** Keys whose values are not in the files of values. */
  readonly lost: LostValue[] = []
  private readonly values: ValueFiles
  private db = 0
  private readonly valueTypes: ValueTypes
  private readonly nowMs: number

  constructor(valueTypes: ValueTypes, nowMs: number, values: ValueFiles) {
    this.values = values
    this.valueTypes = valueTypes
    this.nowMs = nowMs
  }

  aux(name: Slice, value: Slice): void {
    this.fields.set(name.latin1(), value.latin1())
  }

  selectDb(index: number): boolean {
    this.db = index
    return true
  }

  presize(): void {}

  stringKey(_key: Slice, _value: Slice, attributes: KeyAttributes): void {
    this.count('string', attributes)
  }

  key(_key: Slice, type: number, reader: ValueReader, attributes: KeyAttributes): void {
    reader.discard()
    this.count(this.valueTypes.of(type).name, attributes)
  }

  placedKey(key: Slice, typeAndEncoding: number, place: ValuePlace, attributes: KeyAttributes): void {
    const fault = this.values.faultOf(place)
    if (fault === undefined) return this.count(this.valueTypes.of(typeAndEncoding >>> 4).name, attributes)
    this.lost.push({ ...this.position(), key: key.latin1(), fault })
  }

  goneKey(): void {}

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

  skipModule(moduleName: string, key: Slice | undefined): void {
    this.modules.add(moduleName)
    if (key !== undefined) this.keys++
  }
}

/** An engine without commands, for its keyspace: values are read into it. */
export function engineWithoutCommands({ clock, random }: Pick<Machine, 'clock' | 'random'>): Engine {
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
export function checkRdb(machine: Machine, path: string, fd: number, progress: (offset: number) => void): RdbFindings {
  const values = new ValueFiles(machine.disk, path)
  try {
    return new RdbCheck(machine, fd, values, progress).run()
  } finally {
    values.close()
  }
}

/**
 * Reads a file to its end or first fault. After a damaged value it continues at the next key, by the value's own
 * lengths; findings from there count only if the end of the file is reached.
 */
class RdbCheck {
  private readonly machine: Machine
  private readonly fd: number
  private readonly progress: (offset: number) => void
  private readonly codecs = new ValueCodecs(builtInCodecs)
  private readonly readers: ValueReaders
  private readonly counter: Counter
  private readonly values: ValueFiles

  constructor(machine: Machine, fd: number, values: ValueFiles, progress: (offset: number) => void) {
    this.values = values
    this.machine = machine
    this.fd = fd
    this.progress = progress
    const engine = engineWithoutCommands(machine)
    this.readers = new ValueReaders(engine.keyspace, engine.settings, this.codecs)
    this.readers.options.deep = true
    this.counter = new Counter(engine.keyspace.types, machine.clock.nowMs(), values)
  }

  run(): RdbFindings {
    const file = this.open(0, true)
    const fault = this.readOn(file)
    const { reader } = file
    const found = this.findings(file, [{ from: 0, to: reader.validUpTo }], [])
    if (fault === undefined) {
      found.checksum = reader.version < 5 || reader.unchecked ? 'absent' : 'right'
      if (this.counter.lost.length > 0) return this.withoutLost(found)
      found.loads = true
      found.fault = this.counter.firstEmpty
      return found
    }
    found.fault = fault
    if (fault.message.startsWith(WRONG_CHECKSUM)) found.checksum = 'wrong'
    const further = reader.validUpTo > 0 ? this.scanPastDamage(reader.version, found.ranges[0]) : undefined
    return further === undefined ? found : { ...further, fault }
  }

  /** Without the keys whose values are not to be had. */
  private withoutLost(found: RdbFindings): RdbFindings {
    const { lost } = this.counter
    const [first] = lost
    const whole = found.ranges[0].to
    const ends = [...lost.map(({ from }) => from), whole]
    const ranges = ends.map((to, i) => ({ from: i === 0 ? 0 : lost[i - 1].to, to }))
    const more = lost.length > 1 ? `, and those of ${lost.length - 1} others` : ''
    const message = `The value of the key '${printable(first.key)}' is not there${more}: ${first.fault}`
    const damaged = lost.map(({ key }) => key)
    return { ...found, ranges, damaged, fault: { offset: first.from, message } }
  }

  private open(from: number, checksum: boolean): RdbFileReader {
    const file = new RdbFileReader(this.machine.disk, this.fd, from, this.readers, this.counter, checksum)
    this.counter.offset = () => file.offset
    this.counter.position = () => ({ from: file.reader.validUpTo, to: file.offset })
    return file
  }

  /** Reads to the end of the RDB; returns the fault, if there is one. */
  private readOn(file: RdbFileReader): Fault | undefined {
    const { reader } = file
    try {
      while (!file.slice(SLICE_BYTES)) this.progress(file.offset)
      return undefined
    } catch (error) {
      if (!(error instanceof RdbError)) throw error
      const key = reader.currentKey
      const where = key === '' ? reader.phase : `reading the value of the key '${printable(key)}'`
      reader.discard()
      return { offset: error.offset, message: `${error.message} (${where})` }
    }
  }

  /** The findings beyond damaged values; undefined when the file cannot be parsed after one of them. */
  private scanPastDamage(version: number, first: Range): RdbFindings | undefined {
    const ranges = [first]
    const damaged: string[] = []
    for (let at = first.to; damaged.length < DAMAGED_MAX; ) {
      const file = this.open(at, false)
      const { reader } = file
      reader.resumeAfter(version, new RawValues(this.codecs))
      const fault = this.readOn(file)
      if (reader.passedTo < 0) return undefined
      damaged.push(reader.passedKey)
      ranges.push({ from: reader.passedTo, to: reader.validUpTo })
      if (fault === undefined) return file.offset === file.sizeBytes ? this.findings(file, ranges, damaged) : undefined
      at = reader.validUpTo
    }
    return undefined
  }

  private findings(file: RdbFileReader, ranges: Range[], damaged: string[]): RdbFindings {
    const { counter } = this
    return {
      version: file.reader.version,
      fields: counter.fields,
      keys: counter.keys,
      types: new Map(counter.types),
      withExpiry: counter.withExpiry,
      expired: counter.expired,
      empty: counter.empty,
      databases: counter.databases.size,
      libraries: counter.libraries,
      modules: new Set(counter.modules),
      checksum: 'not reached',
      loads: false,
      end: file.offset,
      ranges,
      damaged,
      values: this.values.values,
      valueBytes: this.values.bytes,
    }
  }
}

/** With more damaged values than this the check ends. */
const DAMAGED_MAX = 1000
const WRONG_CHECKSUM = 'RDB CRC error'
const KEY_CHARS_MAX = 100

/** Latin-1 text with control characters escaped, safe for a terminal. */
export function printable(text: string): string {
  const shown = text.length > KEY_CHARS_MAX ? `${text.slice(0, KEY_CHARS_MAX)}…` : text
  return shown.replace(/[^ -~…]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
