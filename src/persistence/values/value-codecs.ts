// ValueCodecs: the codecs of one server by keyspace type and by RDB type; and ValueWriters, ValueReaders and
// ValueRewriters, which use them for values of any type.
//
// Always: each type has one codec and each RDB type belongs to one; an unknown type is an error.

import type { ValuePieces, ValuePlace } from '../../keyspace/cold.ts'
import type { Entries } from '../../keyspace/entries.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { EncodingLimits, ValueTypes } from '../../keyspace/value-type.ts'
import { viewOf } from '../../lib/bytes.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Listpack } from '../../memory/listpack.ts'
import type { PendingPlace, ValuePlaces } from '../checkpoint.ts'
import { RDB_PLACE, RDB_TYPE_MAX } from '../rdb/format.ts'
import type { RdbOutput } from '../rdb/output.ts'
import { RowReader } from '../rdb/row-reader.ts'
import type { RewriteOutput } from './rewrite-output.ts'
import type {
  RdbForm,
  ReadOptions,
  ReadSource,
  ValueCodec,
  ValueReader,
  ValueRewriter,
  ValueWriter,
} from './value-codec.ts'

export class ValueCodecs {
  readonly all: readonly ValueCodec[]
  private readonly byType: (ValueCodec | undefined)[] = []
  private readonly formsByRdbType: (RdbForm | undefined)[] = []
  private readonly typesByRdbType: number[] = []

  constructor(codecs: readonly ValueCodec[]) {
    this.all = codecs
    for (const codec of codecs) {
      if (this.byType[codec.type] !== undefined) throw new Error(`value type ${codec.type} has two codecs`)
      this.byType[codec.type] = codec
      for (const form of codec.forms) this.addForm(codec.type, form)
    }
  }

  private addForm(type: number, form: RdbForm): void {
    const { rdbType } = form
    if (!Number.isInteger(rdbType) || rdbType < 0 || rdbType > RDB_TYPE_MAX)
      throw new Error(`RDB type ${rdbType} of value type ${type} is none`)
    if (this.formsByRdbType[rdbType] !== undefined) throw new Error(`RDB type ${rdbType} belongs to two value types`)
    this.formsByRdbType[rdbType] = form
    this.typesByRdbType[rdbType] = type
  }

  /** Throws unless each of these types has a codec. */
  mustCover(types: ValueTypes): this {
    for (const { id, name } of types.all())
      if (this.byType[id] === undefined) throw new Error(`value type '${name}' (${id}) has no codec`)
    return this
  }

  /** The form of `rdbType`; undefined when it is unknown. */
  formOf(rdbType: number): RdbForm | undefined {
    return this.formsByRdbType[rdbType]
  }

  /** The keyspace type that has this form. */
  typeOf(rdbType: number): number {
    return this.typesByRdbType[rdbType]
  }
}

type ValueSteps = Pick<ValueWriter, 'begin' | 'step'>

/** Writes values, one at a time. */
export class ValueWriters {
  /** Values in the value log are named instead of written. */
  places: ValuePlaces | undefined
  private readonly entries: Entries
  private readonly byType: (ValueWriter | undefined)[] = []
  private readonly cold = new EncodedWriter()
  private readonly coldPieces = new PiecesWriter()
  private readonly placed = new PlaceWriter()
  private current!: ValueSteps

  constructor(space: Keyspace, codecs: ValueCodecs) {
    this.entries = space.entries
    for (const codec of codecs.all) this.byType[codec.type] = codec.writer(space)
  }

  /** The RDB type of an entry's value, whose begin() comes next. */
  rdbType(entry: Ref): number {
    const { entries } = this
    const place = this.places?.locate(entry)
    if (place !== undefined) {
      this.current = this.placed.open(place)
      return RDB_PLACE
    }
    if (entries.isCold(entry)) {
      const isLarge = entries.cold!.isLarge(entry)
      this.current = isLarge ? this.coldPieces : this.cold
      if (isLarge) return this.coldPieces.open(entries.cold!.pieces(entry))
      return this.cold.open(entries.cold!.encoded(entry))
    }
    const writer = this.byType[entries.typeOf(entry)]
    if (writer === undefined) throw new Error(`values of type ${entries.typeOf(entry)} cannot be saved`)
    this.current = writer
    return writer.rdbType(entries.encodingOf(entry))
  }

  begin(entry: Ref): void {
    this.current.begin(this.entries, entry)
  }

  /** Continues the value; true at its end. */
  step(out: RdbOutput, until: number): boolean {
    return this.current.step(out, until)
  }

  /** False: a step would wait for the disk; `then` is called when it would not. */
  isReady(then: () => void): boolean {
    return this.current !== this.coldPieces || this.coldPieces.isReady(then)
  }

  /** The value will not be continued. */
  abandon(): void {
    this.coldPieces.close()
  }

  /** Why a value could not be written, once. */
  takeFailure(): string | undefined {
    const { failure } = this.placed
    this.placed.failure = undefined
    return takeFailure(this.byType) ?? failure
  }
}

function takeFailure(all: readonly (ValueWriter | ValueRewriter | undefined)[]): string | undefined {
  for (const one of all) {
    const failure = one?.failure
    if (failure === undefined) continue
    one!.failure = undefined
    return failure
  }
  return undefined
}

/** Writes values that are encoded already: those on disk. */
class EncodedWriter implements ValueSteps {
  private readonly value = new Slice()

  /** Sets the RDB type and value; returns the type. */
  open(encoded: Uint8Array): number {
    this.value.alias(new Slice(encoded, 0, encoded.length))
    return encoded[0]
  }

  begin(): void {}

  step(out: RdbOutput): boolean {
    const { value } = this
    out.bytes(value.u8, value.dv, value.off + 1, value.len - 1)
    value.clear()
    return true
  }
}

/** Writes values on disk that are read in pieces. */
class PiecesWriter implements ValueSteps {
  private pieces: ValuePieces | undefined
  private first = new Slice()

  /** Returns the RDB type. Throws UnreadableValue. */
  open(pieces: ValuePieces): number {
    this.close()
    this.pieces = pieces
    const bytes = pieces.next()!
    this.first.alias(new Slice(bytes, 1, bytes.length - 1))
    return bytes[0]
  }

  begin(): void {}

  isReady(then: () => void): boolean {
    const { pieces } = this
    if (pieces === undefined || this.first.len > 0 || pieces.isReady) return true
    pieces.onReady = then
    return false
  }

  step(out: RdbOutput, until: number): boolean {
    const { first } = this
    if (first.len > 0) out.slice(first)
    first.clear()
    while (out.pos <= until) {
      const bytes = this.pieces!.next()
      if (bytes === undefined) {
        this.close()
        return true
      }
      out.bytes(bytes, viewOf(bytes), 0, bytes.length)
    }
    return false
  }

  close(): void {
    this.pieces?.close()
    this.pieces = undefined
    this.first.clear()
  }
}

/** Writes places of values. */
class PlaceWriter implements ValueSteps {
  failure: string | undefined
  private place!: ValuePlace
  private pending: PendingPlace | undefined
  private typeAndEncoding = 0

  open(place: ValuePlace | PendingPlace): this {
    this.pending = 'step' in place ? place : undefined
    if (!('step' in place)) this.place = place
    return this
  }

  begin(entries: Entries, entry: Ref): void {
    this.typeAndEncoding = (entries.typeOf(entry) << 4) | entries.encodingOf(entry)
  }

  step(out: RdbOutput, until: number): boolean {
    const { pending } = this
    if (pending !== undefined) {
      while (!pending.step()) if (until !== Number.POSITIVE_INFINITY) return false
      this.failure = pending.failure
      if (this.failure !== undefined) return true
      this.place = pending.place()
    }
    const { place } = this
    out.byte(this.typeAndEncoding)
    out.length(place.segment)
    out.length(place.offset)
    out.length(place.bytes)
    return true
  }
}

/** Reads values that are not strings, one at a time. */
export class ValueReaders {
  readonly options: ReadOptions
  private readonly codecs: ValueCodecs
  private readonly byRdbType: (ValueReader | undefined)[] = []

  constructor(space: Keyspace, limits: EncodingLimits, codecs: ValueCodecs) {
    this.codecs = codecs
    this.options = { limits, deep: false, sanitizations: 0 }
    const rows = new RowReader(new Listpack(space.arena), this.options)
    const source: ReadSource = { space, rows, options: this.options }
    for (const codec of codecs.all) {
      const reader = codec.reader?.(source)
      for (const { rdbType } of codec.forms) this.byRdbType[rdbType] = reader
    }
  }

  /** The reader of `rdbType`; undefined when it is unknown. */
  of(rdbType: number): ValueReader | undefined {
    return this.byRdbType[rdbType]
  }

  /** The keyspace type of `rdbType`. */
  typeOf(rdbType: number): number {
    return this.codecs.typeOf(rdbType)
  }
}

/** Writes entries as commands, for AOF rewrites. */
export class ValueRewriters {
  private readonly entries: Entries
  private readonly byType: (ValueRewriter | undefined)[] = []
  private readonly key = new Slice()

  constructor(space: Keyspace, codecs: ValueCodecs) {
    this.entries = space.entries
    for (const codec of codecs.all) this.byType[codec.type] = codec.rewriter(space)
  }

  /** Writes the commands of an entry and its expiry; yields about once per command. */
  *rewrite(entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { entries } = this
    const rewriter = this.byType[entries.typeOf(entry)]
    if (rewriter === undefined) throw new Error(`values of type ${entries.typeOf(entry)} cannot be rewritten`)
    const whole = entries.isCold(entry) ? entries.cold!.borrow(entry) : entry
    try {
      yield* rewriter.rewrite(entries.keyOf(whole, this.key), entries, whole, to)
      this.expire(whole, to)
    } finally {
      if (whole !== entry) entries.freeEntry(whole)
    }
  }

  /** Why a value could not be written, once. */
  takeFailure(): string | undefined {
    return takeFailure(this.byType)
  }

  private expire(entry: Ref, to: RewriteOutput): void {
    const { entries } = this
    const expiryMs = entries.exactExpiryOf(entry)
    if (expiryMs < 0) return
    to.begin('PEXPIREAT', entries.keyOf(entry, this.key), 1)
    to.out.integer(expiryMs)
  }
}
