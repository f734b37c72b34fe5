// One pass over an RDB file: every key as a DUMP payload, in slices between which the event loop runs.
//
//   file ─▶ RdbFileReader ─▶ RawValues ─▶ visitor.key(key, payload, attributes)
//
// Always: structure and checksum are verified; memory is limited to one value at a time.

import { Slice } from '../../lib/slice.ts'
import { RdbError } from '../../persistence/rdb/input.ts'
import type { KeyAttributes, RdbTarget } from '../../persistence/rdb/reader.ts'
import { RdbFileReader } from '../../persistence/rdb-file.ts'
import { builtInCodecs } from '../../persistence/values/index.ts'
import { ValueCodecs } from '../../persistence/values/value-codecs.ts'
import { type Machine, ToolError } from '../command-line.ts'
import { Progress } from '../progress.ts'
import { RawValues } from './raw-values.ts'
import { type Stop, turn } from './session.ts'

const SLICE_BYTES = 128 << 10

export interface RdbVisitor {
  /** Slices are valid during the call, payload() too; its cost is proportional to the value. */
  key(database: number, key: Slice, payload: () => Uint8Array, attributes: KeyAttributes, type: number): void
  library(code: Slice): void
  /** Backpressure: resolves when more keys may come; undefined: continue. */
  pace?(): Promise<void> | undefined
}

/** What the file contains. */
interface RdbSummary {
  keys: number
  expires: number
  libraries: number
  databases: number
  /** Keys and other data of modules, which were skipped. */
  modules: number
  /** It was written with a checksum. */
  checked: boolean
}

class VisitorTarget implements RdbTarget {
  readonly summary: RdbSummary = { keys: 0, expires: 0, libraries: 0, databases: 0, modules: 0, checked: true }
  readonly values = new RawValues(new ValueCodecs(builtInCodecs))
  private readonly visitor: RdbVisitor | undefined
  private readonly seen = new Set<number>()
  private database = 0
  private readonly text = new Slice()
  private readonly ofValue = () => this.values.payload()
  private readonly ofText = () => this.values.ofString(this.text)

  constructor(visitor: RdbVisitor | undefined) {
    this.visitor = visitor
  }

  aux(): void {}

  selectDb(index: number): boolean {
    this.database = index
    return true
  }

  presize(): void {}

  stringKey(key: Slice, value: Slice, attributes: KeyAttributes): void {
    this.text.alias(value)
    this.count(attributes)
    this.visitor?.key(this.database, key, this.ofText, attributes, 0)
  }

  key(key: Slice, type: number, _reader: unknown, attributes: KeyAttributes): void {
    this.count(attributes)
    this.visitor?.key(this.database, key, this.ofValue, attributes, type)
  }

  private count(attributes: KeyAttributes): void {
    const { summary, seen } = this
    summary.keys++
    if (attributes.expiryMs >= 0) summary.expires++
    if (seen.has(this.database)) return
    seen.add(this.database)
    summary.databases++
  }

  emptyKey(): void {}

  library(code: Slice): undefined {
    this.summary.libraries++
    this.visitor?.library(code)
  }

  skipModule(): void {
    this.summary.modules++
  }
}

interface RdbPassOptions {
  /** The label of the progress bar; absent: no bar. */
  label?: string
  stop: Stop
  visitor?: RdbVisitor
  /** pace() is called after every key. */
  slowly?: boolean
}

/** Reads the whole file. Throws ToolError when it is damaged, DiskError, and what the visitor throws. */
export async function passRdb(machine: Machine, path: string, options: RdbPassOptions): Promise<RdbSummary> {
  const { disk } = machine
  const target = new VisitorTarget(options.visitor)
  const fd = disk.open(path, 'r')
  const sizeBytes = disk.fstat(fd).sizeBytes
  const progress = options.label === undefined ? undefined : new Progress(machine, options.label, sizeBytes)
  try {
    const file = new RdbFileReader(disk, fd, 0, target.values, target, true)
    while (!file.slice(options.slowly === true ? 0 : SLICE_BYTES)) {
      progress?.update(file.offset)
      await options.stop.or(options.visitor?.pace?.() ?? turn(machine))
    }
    if (file.offset !== sizeBytes) throw new RdbError('bytes behind the end of the dataset', file.offset)
    target.summary.checked = !file.reader.unchecked
    return target.summary
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    throw new ToolError(`${path} is damaged at byte ${error.offset}: ${error.message}`)
  } finally {
    progress?.end()
    disk.close(fd)
  }
}

/** The summary as a line for the operator. */
export function summaryText({ keys, expires, libraries, databases }: RdbSummary): string {
  const functions = libraries === 0 ? '' : `, ${libraries} ${libraries === 1 ? 'library' : 'libraries'} of functions`
  return `${keys} keys (${expires} with a time to live) in ${databases} ${databases === 1 ? 'database' : 'databases'}${functions}`
}
