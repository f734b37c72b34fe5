// Manifest: the files of an append-only log and their order.
//
//   file appendonly.aof.2.base.rdb seq 2 type b        a snapshot: at most one, loaded first
//   file appendonly.aof.3.delta.checkpoint seq 3 type d   keys that changed since; where the base is a checkpoint
//   file appendonly.aof.1.incr.aof seq 1 type h        no longer needed: may be deleted
//   file appendonly.aof.3.incr.aof seq 3 type i        changes since the snapshot, in order; the last one is written to
//
// Always: a Manifest is immutable: a change makes another one, which takes effect once it is on disk.

import { quotedIfNeeded, splitWords } from '../../lib/words.ts'

export interface LogFile {
  readonly name: string
  readonly seq: number
  /** Words of the line that are not known here, preserved for newer servers. */
  readonly more: string
}

export class ManifestError extends Error {
  /** 1-based; 0: the whole file. */
  readonly line: number
  readonly text: string
  constructor(message: string, line: number, text: string) {
    super(message)
    this.line = line
    this.text = text
  }
}

/** The end of a base's name. */
export type BaseKind = 'rdb' | 'aof' | 'checkpoint'

const CHECKPOINT_END = '.checkpoint'

const LINE_CHARS_MAX = 1024

export class Manifest {
  readonly base: LogFile | undefined
  readonly incremental: readonly LogFile[]
  readonly history: readonly LogFile[]
  /** What has changed since the base, a checkpoint: as it has keys, in order. */
  readonly deltas: readonly LogFile[]
  private readonly baseSeq: number
  private readonly incrementalSeq: number

  constructor(
    base?: LogFile,
    incremental: readonly LogFile[] = [],
    history: readonly LogFile[] = [],
    baseSeq = base?.seq ?? 0,
    incrementalSeq = incremental[incremental.length - 1]?.seq ?? 0,
    deltas: readonly LogFile[] = [],
  ) {
    this.base = base
    this.incremental = incremental
    this.history = history
    this.deltas = deltas
    this.baseSeq = baseSeq
    this.incrementalSeq = incrementalSeq
  }

  get isEmpty(): boolean {
    return this.base === undefined && this.incremental.length === 0
  }

  /** Base, deltas and incremental files, in the order they are loaded. */
  get files(): readonly LogFile[] {
    return this.base === undefined ? this.incremental : [this.base, ...this.deltas, ...this.incremental]
  }

  /** Whether the base names values on disk. */
  get isCheckpoint(): boolean {
    return this.base?.name.endsWith(CHECKPOINT_END) === true
  }

  /** The file that changes are appended to. */
  get last(): LogFile | undefined {
    return this.incremental[this.incremental.length - 1]
  }

  /** With a new base, named after `prefix` (appendfilename); the old one becomes history. */
  withNewBase(prefix: string, kind: BaseKind): Manifest {
    const seq = this.baseSeq + 1
    const base = { name: `${prefix}.${seq}.base.${kind}`, seq, more: '' }
    const gone = this.base === undefined ? [] : [...this.deltas.toReversed(), this.base]
    const history = [...gone, ...this.history]
    return new Manifest(base, this.incremental, history, seq, this.incrementalSeq)
  }

  /** With what has changed since the base and the last delta. */
  withNewDelta(prefix: string): Manifest {
    const seq = this.baseSeq + 1
    const added = { name: `${prefix}.${seq}.delta${CHECKPOINT_END}`, seq, more: '' }
    return new Manifest(this.base, this.incremental, this.history, seq, this.incrementalSeq, [...this.deltas, added])
  }

  withNewIncremental(prefix: string): Manifest {
    const seq = this.incrementalSeq + 1
    const added = { name: `${prefix}.${seq}.incr.aof`, seq, more: '' }
    return new Manifest(this.base, [...this.incremental, added], this.history, this.baseSeq, seq, this.deltas)
  }

  /** After a rewrite: all incremental files but the last `kept` are history. */
  withRewritten(kept: number): Manifest {
    const { incremental } = this
    const gone = incremental.slice(0, incremental.length - kept).reverse()
    const left = incremental.slice(incremental.length - kept)
    const history = [...gone, ...this.history]
    return new Manifest(this.base, left, history, this.baseSeq, this.incrementalSeq, this.deltas)
  }

  withoutHistory(): Manifest {
    return new Manifest(this.base, this.incremental, [], this.baseSeq, this.incrementalSeq, this.deltas)
  }

  /** A single-file AOF from before Redis 7. */
  static ofSingleFile(name: string): Manifest {
    return new Manifest({ name, seq: 1, more: '' })
  }

  text(): string {
    const line = (file: LogFile, type: string) =>
      `file ${quotedIfNeeded(file.name)} seq ${file.seq} type ${type}${file.more}\n`
    let text = this.base === undefined ? '' : line(this.base, 'b')
    for (const file of this.deltas) text += line(file, 'd')
    for (const file of this.history) text += line(file, 'h')
    for (const file of this.incremental) text += line(file, 'i')
    return text
  }

  /** Reads a manifest's bytes. Throws ManifestError. */
  static parse(bytes: Uint8Array): Manifest {
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    if (text === '') throw new ManifestError('Found an empty AOF manifest', 0, '')
    let base: LogFile | undefined
    const incremental: LogFile[] = []
    const history: LogFile[] = []
    const deltas: LogFile[] = []
    const lines = text.split('\n')
    lines.forEach((raw, i) => {
      const fail = (message: string): never => {
        throw new ManifestError(message, i + 1, raw.trim())
      }
      const isUnended = i === lines.length - 1
      if (raw.startsWith('#') || (isUnended && raw === '')) return
      if (isUnended || raw.length >= LINE_CHARS_MAX || raw.includes('\0'))
        throw new ManifestError('The AOF manifest file contains too long line', 0, '')
      const { type, file } = parseLine(raw.trim(), fail)
      if (type === 'b') {
        if (base !== undefined) fail('Found duplicate base file information')
        base = file
      } else if (type === 'h') history.push(file)
      else if (type === 'd') deltas.push(file)
      else if (type === 'i') {
        if (file.seq <= (incremental[incremental.length - 1]?.seq ?? 0)) fail('Found a non-monotonic sequence number')
        incremental.push(file)
      } else fail('Unknown AOF file type')
    })
    const baseSeq = Math.max(base?.seq ?? 0, ...deltas.map(({ seq }) => seq))
    return new Manifest(base, incremental, history, baseSeq, undefined, deltas)
  }
}

function parseLine(line: string, fail: (message: string) => never): { type: string; file: LogFile } {
  const words = splitWords(line)
  if (words === undefined || words.length < 6 || words.length % 2 !== 0) return fail('Invalid AOF manifest file format')
  let name = ''
  let seq = 0
  let type = ''
  let more = ''
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1]
    switch (words[i].toLowerCase()) {
      case 'file':
        if (/[/\\]/.test(value)) fail("File can't be a path, just a filename")
        name = value
        break
      case 'seq':
        seq = Number.parseInt(value, 10) || 0
        break
      case 'type':
        type = value[0] ?? ''
        break
      default:
        more += ` ${quotedIfNeeded(words[i])} ${quotedIfNeeded(value)}`
    }
  }
  if (name === '' || seq === 0 || type === '') fail('Invalid AOF manifest file format')
  return { type, file: { name, seq, more } }
}
