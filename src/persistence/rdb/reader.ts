// RdbReader: an incremental parser of RDB files that passes their content to a target.
//
//   HEADER ─▶ OPCODE ◀─▶ VALUE      a value read in several steps                 [step]
//               │  ├──▶ SIZES      the tables are presized, in several steps
//               │  └──▶ MODULE      data of a module that belongs to no key, or is skipped, item by item
//               └─────▶ CHECKSUM ─▶ DONE
//
// The owner fills the window (add(), or reserve()) and calls run() until it returns DONE.
//
// Always: everything before input.checkpoint is processed and, if checked, in the checksum.

import type { ValuePlace } from '../../keyspace/cold.ts'
import { foreignNameOf } from '../../keyspace/values/module/foreign-type.ts'
import { Crc64, hexAt } from '../../lib/crc64.ts'
import type { Long } from '../../lib/long-field.ts'
import { parseInt64 } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import type { ValueReader } from '../values/value-codec.ts'
import {
  CHECKSUM_BYTES,
  HEADER_BYTES,
  MAGIC,
  MODULE_UINT,
  OP_AUX,
  OP_EOF,
  OP_EXPIRETIME,
  OP_EXPIRETIME_MS,
  OP_FREQ,
  OP_FUNCTION_PRE_GA,
  OP_FUNCTION2,
  OP_IDLE,
  OP_MODULE_AUX,
  OP_RESIZEDB,
  OP_SELECTDB,
  RDB_GONE,
  RDB_MODULE,
  RDB_MODULE_2,
  RDB_PLACE,
  RDB_STRING,
  RDB_VERSION_MAX,
} from './format.ts'
import { NEED_MORE, RdbInput, RdbString } from './input.ts'
import { ItemCollector, skipItems } from './module-items.ts'

/** Expiry and access figures of a key, which precede it. */
export class KeyAttributes {
  /** Milliseconds since 1970, or -1. */
  expiryMs: Long = -1
  /** Seconds, or -1. */
  idleSeconds = -1
  /** LFU counter, or -1. */
  frequency = -1
  /** Where the value is on disk (RDB_PLACE). */
  readonly place: ValuePlace = { segment: 0, offset: 0, bytes: 0 }

  get any(): boolean {
    return this.expiryMs !== -1 || this.idleSeconds >= 0 || this.frequency >= 0
  }
}

/** Receives the content of a file. Slices are valid during the call; a value then belongs to the target. */
export interface RdbTarget {
  aux(name: Slice, value: Slice): void
  /** False: the database does not exist. */
  selectDb(index: number): boolean
  /** RESIZEDB: the numbers of keys of the database. */
  presize(keys: number, expires: number): void
  /** After presize(), until it is true. undefined: there is nothing to do. */
  presizeStep?(): boolean
  stringKey(key: Slice, value: Slice, attributes: KeyAttributes): void
  key(key: Slice, type: number, reader: ValueReader, attributes: KeyAttributes): void
  /** Where a value is in the value log. undefined: the file may have no such keys. */
  placedKey?(key: Slice, typeAndEncoding: number, place: ValuePlace, attributes: KeyAttributes): void
  /** After placedKey(): adds the keys that come next, as many as are like it and whole in the window before `until`. */
  placedKeys?(input: RdbInput, until: number): void
  /** A key of the files before this one that is removed (RDB_GONE). undefined: the file may have none. */
  goneKey?(key: Slice): void
  /** This key has an empty collection. */
  emptyKey(key: Slice): void
  /** A function library; returns an error message when it cannot be loaded. */
  library(code: Slice): string | undefined
  /** For targets that skip what modules have written: such a key, or data that belongs to none (undefined). */
  skipModule?(moduleName: string, key: Slice | undefined): void
  /** Data of a module that belongs to no key; returns an error message when it cannot be loaded. */
  moduleData?(data: ModuleData): string | undefined
}

/** Data of a module that belongs to no key. */
export interface ModuleData {
  /** The halves of the id of its type (keyspace/values/module/foreign-type.ts). */
  readonly idHigh: number
  readonly idLow: number
  /** MODULE_BEFORE or MODULE_AFTER. */
  readonly when: number
  readonly items: Uint8Array
}

/** The readers of values by RDB type (values/ has those that build values). */
export interface ReaderTable {
  of(rdbType: number): ValueReader | undefined
  typeOf(rdbType: number): number
}

export const NEED = 0
export const PAUSED = 1
export const DONE = 2
export type RunOutcome = typeof NEED | typeof PAUSED | typeof DONE

const HEADER = 0
const OPCODE = 1
const VALUE = 2
const MODULE = 3
const CHECKSUM = 4
const FINISHED = 5
const SIZES = 6

export class RdbReader {
  readonly input = new RdbInput()
  version = 0
  /** The file was written without a checksum (0). */
  unchecked = false
  private readonly readers: ReaderTable
  private readonly target: RdbTarget
  private readonly checks: boolean
  private readonly crc = new Crc64()
  private hashedTo = 0
  private state = HEADER
  private readonly attributes = new KeyAttributes()
  private readonly key = new RdbString()
  private readonly text = new RdbString()
  private current: ValueReader | undefined
  private rdbType = 0
  /** What is being read, for error messages. */
  phase = 'reading the header'
  /** Offset after the last complete key or opcode. */
  validUpTo = 0
  /** The value that resumeAfter() skipped: the offset after it, -1 before that, and its key. */
  passedTo = -1
  passedKey = ''
  private skipper: ReaderTable | undefined
  private readonly items = new ItemCollector()

  /** `checks`: the checksum is verified. */
  constructor(readers: ReaderTable, target: RdbTarget, checks: boolean) {
    this.readers = readers
    this.target = target
    this.checks = checks
  }

  /** Resumes in the middle of a file, at a damaged key: `skipper` skips its value. */
  resumeAfter(version: number, passer: ReaderTable): void {
    this.version = version
    this.state = OPCODE
    this.phase = 'reading an opcode'
    this.skipper = passer
  }

  /** Ensures capacity for more of the file; write at input.end and advance it. */
  reserve(bytes: number): void {
    this.hash()
    this.input.reserve(bytes)
    this.hashedTo = 0
  }

  /** Adds the next bytes of the file. */
  add(bytes: Uint8Array): void {
    const { input } = this
    this.reserve(bytes.length)
    input.u8.set(bytes, input.end)
    input.end += bytes.length
  }

  private hash(): void {
    const { input } = this
    if (this.checks && input.checkpoint > this.hashedTo) this.crc.update(input.u8, this.hashedTo, input.checkpoint)
    this.hashedTo = input.checkpoint
  }

  /** The key being read, '' for none: for error messages. */
  get currentKey(): string {
    return this.current !== undefined ? this.key.latin1() : ''
  }

  /**
   * Reads about `budget` bytes. NEED: the window has nothing complete any more; PAUSED: the budget is used up; DONE:
   * the file ended, and input.pos is after it.
   */
  run(budget: number): RunOutcome {
    const { input } = this
    const until = input.pos + budget
    try {
      input.pos = input.checkpoint
      while (this.state !== FINISHED) {
        if (input.pos > until) return PAUSED
        if (this.state === OPCODE) {
          if (!this.attributes.any) this.validUpTo = input.offset
          this.opcode(until)
        } else if (this.state === VALUE) {
          if (!this.current!.step(input, until)) {
            this.key.copyFrom(this.key)
            return PAUSED
          }
          this.deliver()
        } else if (this.state === SIZES) {
          if (this.target.presizeStep!()) this.state = OPCODE
          else if (until !== Number.POSITIVE_INFINITY) return PAUSED
        } else if (this.state === MODULE) this.moduleItems()
        else if (this.state === HEADER) this.header()
        else this.checksum()
        input.checkpoint = input.pos
      }
      return DONE
    } catch (error) {
      if (error !== NEED_MORE) throw error
      input.pos = input.checkpoint
      // The window will no longer have the key's bytes.
      if (this.state === VALUE) this.key.copyFrom(this.key)
      return NEED
    }
  }

  /** Frees a partly read value. */
  discard(): void {
    this.current?.discard()
    this.current = undefined
  }

  private header(): void {
    const { input } = this
    input.need(HEADER_BYTES)
    const head = String.fromCharCode(...input.u8.subarray(input.pos, input.pos + HEADER_BYTES))
    if (!head.startsWith(MAGIC)) input.fail('Wrong signature trying to load DB from file', { isHead: true })
    this.version = Number.parseInt(head.slice(MAGIC.length), 10)
    if (!(this.version >= 1 && this.version <= RDB_VERSION_MAX))
      input.fail(`Can't handle RDB format version ${Number.isNaN(this.version) ? 0 : this.version}`, { isHead: true })
    input.pos += HEADER_BYTES
    this.state = OPCODE
    this.phase = 'reading an opcode'
  }

  private opcode(until: number): void {
    const { input, attributes, target } = this
    const op = input.byte()
    if (op < OP_FUNCTION2) return this.keyOf(op, until)
    switch (op) {
      case OP_EXPIRETIME_MS:
        // Old versions wrote it in host byte order; all hosts still in use are little-endian.
        attributes.expiryMs = input.exactInt64()
        return
      case OP_EXPIRETIME:
        attributes.expiryMs = input.int32() * 1000
        return
      case OP_FREQ:
        attributes.frequency = input.byte()
        return
      case OP_IDLE:
        attributes.idleSeconds = input.length()
        return
      case OP_SELECTDB: {
        const db = input.length()
        if (!target.selectDb(db)) input.fail(`Database ${db} is beyond the number of databases that are configured`)
        return
      }
      case OP_RESIZEDB: {
        const keys = input.length()
        target.presize(keys, input.length())
        if (target.presizeStep !== undefined) this.state = SIZES
        return
      }
      case OP_AUX:
        input.string(this.key)
        return target.aux(this.key, input.string(this.text))
      case OP_FUNCTION2: {
        const error = target.library(input.string(this.text))
        if (error !== undefined) input.fail(`Failed loading library, ${error}`, { isValid: true })
        return
      }
      case OP_FUNCTION_PRE_GA:
        return input.fail('Pre-release function format not supported.')
      case OP_MODULE_AUX:
        return this.moduleAux()
      case OP_EOF:
        this.state = this.version >= 5 ? CHECKSUM : FINISHED
        this.phase = 'reading the checksum'
    }
  }

  private keyOf(rdbType: number, until: number): void {
    const { input } = this
    this.rdbType = rdbType
    input.string(this.key)
    if (this.skipper !== undefined) return this.beginValue(this.skipper.of(rdbType), rdbType)
    if (rdbType === RDB_STRING) {
      this.target.stringKey(this.key, input.string(this.text), this.attributes)
      return this.forgetAttributes()
    }
    if (rdbType === RDB_PLACE && this.target.placedKey !== undefined) return this.placedKey(until)
    if (rdbType === RDB_GONE && this.target.goneKey !== undefined) return this.target.goneKey(this.key)
    if (rdbType === RDB_MODULE_2 && this.target.skipModule !== undefined) return this.moduleKey()
    if (rdbType === RDB_MODULE) input.fail('Pre-release module format not supported')
    this.beginValue(this.readers.of(rdbType), rdbType)
  }

  private placedKey(until: number): void {
    const { input } = this
    const { place } = this.attributes
    const typeAndEncoding = input.byte()
    place.segment = input.length()
    place.offset = input.length()
    place.bytes = input.length()
    this.target.placedKey!(this.key, typeAndEncoding, place, this.attributes)
    this.forgetAttributes()
    this.target.placedKeys?.(input, until)
  }

  private beginValue(reader: ValueReader | undefined, rdbType: number): void {
    const { input } = this
    if (reader === undefined) return input.fail(`Unknown RDB encoding type ${rdbType}`)
    this.current = reader
    reader.begin(rdbType, input)
    // The value is read in steps from here on.
    this.state = VALUE
    input.checkpoint = input.pos
  }

  private deliver(): void {
    const reader = this.current!
    this.current = undefined
    this.state = OPCODE
    if (this.skipper !== undefined) this.passed()
    else if (reader.empty) {
      reader.discard()
      this.target.emptyKey(this.key)
    } else this.target.key(this.key, this.readers.typeOf(this.rdbType), reader, this.attributes)
    this.forgetAttributes()
  }

  private passed(): void {
    this.skipper = undefined
    this.passedTo = this.input.offset
    this.passedKey = this.key.latin1()
  }

  private forgetAttributes(): void {
    const { attributes } = this
    attributes.expiryMs = attributes.idleSeconds = attributes.frequency = -1
  }

  private moduleKey(): void {
    const { input } = this
    input.length64()
    this.target.skipModule!(foreignNameOf(input.high, input.low), this.key)
    this.forgetAttributes()
    this.state = MODULE
  }

  private moduleAux(): void {
    const { input, target } = this
    input.length64()
    const { high, low } = input
    if (input.length() !== MODULE_UINT) input.fail('bad when_opcode')
    const when = input.length()
    if (target.moduleData === undefined) target.skipModule?.(foreignNameOf(high, low), undefined)
    else {
      this.items.begin()
      this.items.of = { idHigh: high, idLow: low, when }
    }
    this.state = MODULE
  }

  private moduleItems(): void {
    const { input, items } = this
    if (items.of === undefined) skipItems(input)
    else {
      items.step(input, Number.POSITIVE_INFINITY)
      const error = this.target.moduleData!({ ...items.of, items: items.bytes() })
      items.release()
      items.of = undefined
      if (error !== undefined) input.fail(error, { isValid: true })
    }
    this.state = OPCODE
  }

  private checksum(): void {
    const { input } = this
    input.need(CHECKSUM_BYTES)
    this.hash()
    const { u8, pos } = input
    this.unchecked = true
    for (let i = 0; i < CHECKSUM_BYTES; i++) if (u8[pos + i] !== 0) this.unchecked = false
    if (this.checks && !this.unchecked && !this.crc.equalsAt(u8, pos)) {
      const before = `Wrong RDB checksum expected: (${this.crc.hex()}) but got (${hexAt(u8, pos)}). Aborting now.`
      input.fail('RDB CRC error', { before })
    }
    input.pos += CHECKSUM_BYTES
    this.state = FINISHED
  }
}

/** An aux field as an integer, 0 when it is not one. */
export function auxInteger(value: Slice): number {
  const n = parseInt64(value)
  return Number.isFinite(n) ? n : 0
}
