// The codec of modules' values. Their types (keyspace/values/module) encode and decode the items.
//
//   MODULE_2   id u64 as a length | items … | MODULE_EOF      item: opcode, then a length, float, double or string
//
// Always: an id that no type has is an error, as are items that its type does not take. A type that throws while its
// value is saved is the failure of the save: `failure` says why.

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_RAW, TYPE_MODULE } from '../../keyspace/types.ts'
import { type ForeignType, foreignNameOf, foreignVersionOf } from '../../keyspace/values/module/foreign-type.ts'
import { ModuleType } from '../../keyspace/values/module/module-type.ts'
import { Crc64 } from '../../lib/crc64.ts'
import { reasonOf } from '../../lib/reason.ts'
import { Slice } from '../../lib/slice.ts'
import { isUnwind } from '../../lib/unwind.ts'
import type { Ref } from '../../memory/arena.ts'
import { CHECKSUM_BYTES, MODULE_EOF, RDB_MODULE_2, RDB_VERSION_WRITTEN } from '../rdb/format.ts'
import type { RdbInput } from '../rdb/input.ts'
import { ItemCollector, skipItems } from '../rdb/module-items.ts'
import { RdbOutput } from '../rdb/output.ts'
import type { RewriteOutput } from './rewrite-output.ts'
import type { ReadSource, ValueCodec, ValueReader, ValueRewriter, ValueWriter } from './value-codec.ts'

class ModuleWriter implements ValueWriter {
  failure: string | undefined
  private readonly types: ModuleType
  private parts: Iterator<Uint8Array, void> | undefined
  private type!: ForeignType
  private begun = false

  constructor(types: ModuleType) {
    this.types = types
  }

  rdbType(): number {
    return RDB_MODULE_2
  }

  begin(entries: Entries, entry: Ref): void {
    const { type, value } = this.types.at(entries.valueOf(entry))
    this.type = type
    this.parts = type.encode(value)
    this.begun = false
  }

  step(out: RdbOutput, until: number): boolean {
    if (!this.begun) out.length64(this.type.idHigh, this.type.idLow)
    this.begun = true
    do {
      const part = this.next()
      if (part === undefined) {
        this.parts = undefined
        out.length(MODULE_EOF)
        return true
      }
      appendPart(out, part)
    } while (out.pos <= until)
    return false
  }

  private next(): Uint8Array | undefined {
    try {
      return this.parts!.next().value ?? undefined
    } catch (error) {
      if (isUnwind(error)) throw error
      this.failure = `type '${this.type.name}' of a module: its save has thrown: ${reasonOf(error)}`
      return undefined
    }
  }
}

function appendPart(out: RdbOutput, part: Uint8Array): void {
  out.reserve(part.length)
  out.u8.set(part, out.pos)
  out.pos += part.length
}

class ModuleReader implements ValueReader {
  readonly encoding = ENC_RAW
  value: Ref = 0
  readonly empty = false
  private readonly types: ModuleType
  private readonly items = new ItemCollector()
  private type!: ForeignType
  private version = 0

  constructor({ space }: ReadSource) {
    this.types = ModuleType.of(space)
  }

  begin(_rdbType: number, input: RdbInput): void {
    this.value = 0
    input.length64()
    const { high, low } = input
    const type = this.types.foreign.find(high, low)
    if (type === undefined)
      return input.fail(
        `The RDB file contains module data I can't load: no matching module type '${foreignNameOf(high, low)}'`,
        { isValid: true },
      )
    this.type = type
    this.version = foreignVersionOf(low)
    this.items.begin()
  }

  step(input: RdbInput, until: number): boolean {
    if (!this.items.step(input, until)) return false
    let value: unknown
    try {
      value = this.type.decode(this.items.bytes(), this.version)
    } catch (error) {
      if (isUnwind(error)) throw error
      input.fail(`Module type '${this.type.name}' cannot load a value: ${reasonOf(error)}`)
    }
    this.items.release()
    this.value = this.types.make(this.type, value)
    return true
  }

  discard(): void {
    this.items.release()
    if (this.value !== 0) while (!this.types.freeStep(ENC_RAW, this.value, 1000));
    this.value = 0
  }
}

class ModuleRewriter implements ValueRewriter {
  private readonly types: ModuleType
  private readonly writer: ModuleWriter
  private readonly crc = new Crc64()

  constructor(types: ModuleType) {
    this.types = types
    this.writer = new ModuleWriter(types)
  }

  get failure(): string | undefined {
    return this.writer.failure
  }

  set failure(why: string | undefined) {
    this.writer.failure = why
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { type, value } = this.types.at(entries.valueOf(entry))
    const commands = type.rewrite(value)
    if (commands === undefined) return yield* this.restore(key, entries, entry, to)
    try {
      for (let one = commands.next(); one.done !== true; one = commands.next()) {
        const [name, ...words] = one.value
        to.begin(name.latin1(), key, words.length)
        for (const word of words) to.out.argument(word)
        yield
      }
    } catch (error) {
      if (isUnwind(error)) throw error
      this.writer.failure = `type '${type.name}' of a module: its rewrite has thrown: ${reasonOf(error)}`
    }
  }

  /** RESTORE key 0 payload. */
  private *restore(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const out = new RdbOutput(256)
    out.byte(RDB_MODULE_2)
    this.writer.begin(entries, entry)
    while (!this.writer.step(out, out.pos + PART_BYTES)) yield
    out.uint16(RDB_VERSION_WRITTEN)
    out.reserve(CHECKSUM_BYTES)
    this.crc.reset().update(out.u8, 0, out.pos).writeTo(out.u8, out.pos)
    out.pos += CHECKSUM_BYTES
    to.begin('RESTORE', key, 2)
    to.out.word('0')
    const payload = new Slice(out.u8, 0, out.pos, out.dv)
    if (!to.wrote(payload)) yield* to.writePieces(payload)
  }
}

const PART_BYTES = 64 * 1024

export const moduleCodec: ValueCodec = {
  type: TYPE_MODULE,
  forms: [
    {
      rdbType: RDB_MODULE_2,
      version: 8,
      counted: false,
      skip(input) {
        input.length64()
        skipItems(input)
      },
    },
  ],
  writer: space => new ModuleWriter(ModuleType.of(space)),
  reader: source => new ModuleReader(source),
  rewriter: space => new ModuleRewriter(ModuleType.of(space)),
}
