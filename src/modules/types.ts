// The types of values of one server's modules, and the values of types that no module has.
//
//   ModuleType (the module's) ─▶ TypeAdapter ─▶ ForeignType (the keyspace's)
//   id in a file ─▶ a module's type; or with module-unknown-types keep ─▶ KeptType: the bytes; or none: refused
//
// Always: what a type throws in free, memory or digest is logged and harms nothing; copy falls back to the saved bytes,
// and COPY is refused when these cannot be made or read.
// A value that was kept becomes one of its type when a module that has the type opens it.

import type { Engine } from '../engine/engine.ts'
import type { Digest } from '../keyspace/digest.ts'
import {
  type ForeignData,
  type ForeignType,
  type ForeignTypes,
  foreignIdOf,
  foreignNameOf,
  foreignVersionOf,
  noModuleFor,
} from '../keyspace/values/module/foreign-type.ts'
import { type ForeignValue, ModuleType as ModuleValues } from '../keyspace/values/module/module-type.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import { isUnwind } from '../lib/unwind.ts'
import type { Ref } from '../memory/arena.ts'
import { MODULE_AFTER, MODULE_BEFORE, MODULE_EOF, MODULE_UINT, OP_MODULE_AUX } from '../persistence/rdb/format.ts'
import { RdbOutput } from '../persistence/rdb/output.ts'
import type { CallLock } from './call-lock.ts'
import { harmless, logThrown } from './harmless.ts'
import { ItemInput, ItemOutput } from './items.ts'
import type { ModuleType } from './type-definition.ts'
import { sliceOf } from './values.ts'

const PART_BYTES = 16 * 1024
/** Of what `memory` says of one value: sums stay integers. */
const FIGURE_MAX = 2 ** 40
/** The bits of a name in an id's lower half: the others are the encoding version. */
const NAME_MASK = ~1023

class TypeAdapter implements ForeignType {
  readonly name: string
  readonly idHigh: number
  readonly idLow: number
  readonly type: ModuleType<unknown>
  private readonly engine: Engine
  private readonly lock: CallLock

  constructor(type: ModuleType<unknown>, engine: Engine, lock: CallLock) {
    this.lock = lock
    const id = foreignIdOf(type.name, type.encodingVersion)!
    this.name = type.name
    this.idHigh = id.high
    this.idLow = id.low
    this.type = type
    this.engine = engine
  }

  private what(part: string): string {
    return `${part} of the module type '${this.name}'`
  }

  *encode(value: unknown): Generator<Uint8Array, void, void> {
    const items = new ItemOutput()
    const { out } = items
    const steps = this.lock.run(() => this.type.save(value, items))
    if (steps !== undefined)
      while (this.lock.run(() => steps.next()).done !== true)
        if (out.pos >= PART_BYTES) {
          yield out.u8.subarray(0, out.pos)
          out.pos = 0
        }
    yield out.u8.subarray(0, out.pos)
  }

  decode(items: Uint8Array, version: number): unknown {
    const input = new ItemInput(items)
    const value = this.lock.run(() => this.type.load(input, version))
    if (!input.isAtEnd) throw new TypeError('its load leaves parts unread')
    return value
  }

  rewrite(value: unknown): Iterator<readonly Slice[], void> | undefined {
    return this.type.rewrite === undefined ? undefined : this.commands(value)
  }

  private *commands(value: unknown): Generator<readonly Slice[], void, void> {
    const all = this.lock.run(() => this.type.rewrite!(value)[Symbol.iterator]())
    for (;;) {
      const next = this.lock.run(() => all.next())
      if (next.done === true) return
      yield next.value.map(sliceOf)
    }
  }

  copy(value: unknown): unknown {
    const { copy } = this.type
    if (copy !== undefined)
      try {
        return this.lock.run(() => copy.call(this.type, value))
      } catch (error) {
        if (isUnwind(error)) throw error
        logThrown(this.engine, this.what('copy'), error)
      }
    return this.decode(joined(this.encode(value)), this.type.encodingVersion)
  }

  memory(value: unknown): number {
    return this.figure('memory', value)
  }

  freeEffort(value: unknown): number {
    return Math.max(1, this.figure('freeEffort', value))
  }

  private figure(part: 'memory' | 'freeEffort', value: unknown): number {
    let n = 0
    harmless(this.engine, this.what(part), () => {
      n = this.lock.run(() => this.type[part]?.(value)) ?? 0
    })
    return Number.isFinite(n) && n > 0 ? Math.floor(Math.min(n, FIGURE_MAX)) : 0
  }

  *free(value: unknown): Generator<void, void, void> {
    try {
      const steps = this.lock.run(() => this.type.free?.(value))
      if (steps !== undefined) while (this.lock.run(() => steps.next()).done !== true) yield
    } catch (error) {
      if (isUnwind(error)) throw error
      logThrown(this.engine, this.what('free'), error)
    }
  }

  digest(value: unknown, into: Digest): void {
    const { digest } = this.type
    harmless(this.engine, this.what(digest === undefined ? 'save' : 'digest'), () => {
      if (digest === undefined) into.mix(joined(this.encode(value)))
      else this.lock.run(() => digest.call(this.type, value, part => into.mixSlice(sliceOf(part))))
    })
  }
}

/** A type that no module has: its values are their bytes. */
class KeptType implements ForeignType {
  readonly name: string
  readonly idHigh: number
  readonly idLow: number

  constructor(idHigh: number, idLow: number) {
    this.name = foreignNameOf(idHigh, idLow)
    this.idHigh = idHigh
    this.idLow = idLow
  }

  *encode(value: unknown): Generator<Uint8Array, void, void> {
    yield value as Uint8Array
  }

  decode(items: Uint8Array): Uint8Array {
    return items.slice()
  }

  rewrite(): undefined {}

  copy(value: unknown): unknown {
    return value
  }

  memory(value: unknown): number {
    return (value as Uint8Array).length
  }

  freeEffort(): number {
    return 1
  }

  *free(): Generator<void, void, void> {}

  digest(value: unknown, into: Digest): void {
    into.mix(value as Uint8Array)
  }
}

interface KeptData {
  readonly idHigh: number
  readonly idLow: number
  readonly when: number
  readonly items: Uint8Array
}

export class ModuleTypes implements ForeignTypes {
  private readonly engine: Engine
  private readonly keeps: () => boolean
  private readonly lock: CallLock
  private readonly values: ModuleValues
  private readonly byName = new Map<string, TypeAdapter>()
  /** By id, encoding version included. */
  private readonly kept = new Map<string, KeptType>()
  /** Data of modules that are not there. */
  private keptData: KeptData[] = []

  /** `keeps`: values of types that no module has are kept. */
  constructor(engine: Engine, keeps: () => boolean, lock: CallLock) {
    this.engine = engine
    this.lock = lock
    this.keeps = keeps
    this.values = ModuleValues.of(engine.keyspace)
    this.values.foreign = this
  }

  get outsideBytes(): number {
    return this.values.outsideBytes
  }

  // ---- types ----

  /** False: there is one of that name. */
  add(type: ModuleType<unknown>): boolean {
    if (this.byName.has(type.name)) return false
    this.byName.set(type.name, new TypeAdapter(type, this.engine, this.lock))
    for (const data of this.keptData) if (foreignNameOf(data.idHigh, data.idLow) === type.name) this.take(data)
    return true
  }

  private take(data: KeptData): void {
    this.keptData = this.keptData.filter(one => one !== data)
    const error = this.loadData(data.idHigh, data.idLow, data.when, data.items)
    if (error !== undefined) this.engine.log?.('warning', error)
  }

  /** Its module is given up: what values it has become bytes. */
  remove(type: ModuleType<unknown>): void {
    const adapter = this.byName.get(type.name)
    if (adapter?.type !== type) return
    this.byName.delete(type.name)
    for (const one of this.values.all()) {
      if (one.type !== adapter) continue
      harmless(this.engine, `save of the module type '${type.name}'`, () => {
        one.value = joined(adapter.encode(one.value))
        one.type = this.keptOf(adapter.idHigh, adapter.idLow)
      })
    }
  }

  find(idHigh: number, idLow: number): ForeignType | undefined {
    const own = this.byName.get(foreignNameOf(idHigh, idLow))
    return own ?? (this.keeps() ? this.keptOf(idHigh, idLow) : undefined)
  }

  private keptOf(idHigh: number, idLow: number): KeptType {
    const id = `${idHigh}:${idLow}`
    let kept = this.kept.get(id)
    if (kept === undefined) this.kept.set(id, (kept = new KeptType(idHigh, idLow)))
    return kept
  }

  // ---- values ----

  make(type: ModuleType<unknown>, value: unknown): Ref {
    return this.values.make(this.adapterOf(type), value)
  }

  private adapterOf(type: ModuleType<unknown>): TypeAdapter {
    const adapter = this.byName.get(type?.name)
    if (adapter?.type !== type) throw new TypeError(`'${type?.name}' is no type of a module of this server`)
    return adapter
  }

  /** The value in a node; undefined: it is of another type. Throws when kept bytes are no value of the type. */
  open(type: ModuleType<unknown>, node: Ref): ForeignValue | undefined {
    const adapter = this.adapterOf(type)
    const one = this.values.at(node)
    if (one.type === adapter) return one
    if (!(one.type instanceof KeptType) || (one.type.idLow & NAME_MASK) !== (adapter.idLow & NAME_MASK))
      return undefined
    if (one.type.idHigh !== adapter.idHigh) return undefined
    one.value = adapter.decode(one.value as Uint8Array, foreignVersionOf(one.type.idLow))
    one.type = adapter
    this.values.measure(node)
    return one
  }

  measure(node: Ref): void {
    this.values.measure(node)
  }

  // ---- data of modules that belongs to no key ----

  saveData(): ForeignData {
    const before = new RdbOutput(64)
    const after = new RdbOutput(64)
    let failure: string | undefined
    for (const [when, into] of [
      [MODULE_BEFORE, before],
      [MODULE_AFTER, after],
    ] as const) {
      for (const adapter of this.byName.values()) {
        const { aux } = adapter.type
        if (aux === undefined) continue
        const items = new ItemOutput()
        try {
          this.lock.run(() => aux.save(items, whenOf(when)))
        } catch (error) {
          if (isUnwind(error)) throw error
          failure = `type '${adapter.name}' of a module: the save of its data has thrown: ${reasonOf(error)}`
        }
        writeData(into, adapter, when, items.out.u8.subarray(0, items.out.pos))
      }
      for (const one of this.keptData) if (one.when === when) writeData(into, one, when, one.items)
    }
    return { before: before.u8.subarray(0, before.pos), after: after.u8.subarray(0, after.pos), failure }
  }

  loadData(idHigh: number, idLow: number, when: number, items: Uint8Array): string | undefined {
    const name = foreignNameOf(idHigh, idLow)
    const adapter = this.byName.get(name)
    if (adapter === undefined) {
      if (!this.keeps()) return noModuleFor(name)
      this.keptData = this.keptData.filter(one => one.idHigh !== idHigh || one.idLow !== idLow || one.when !== when)
      this.keptData.push({ idHigh, idLow, when, items: items.slice() })
      return undefined
    }
    const { aux } = adapter.type
    if (aux === undefined) return undefined
    try {
      this.lock.run(() => aux.load(new ItemInput(items), foreignVersionOf(idLow), whenOf(when)))
      return undefined
    } catch (error) {
      if (isUnwind(error)) throw error
      return `Module type '${name}' cannot load its data: ${reasonOf(error)}`
    }
  }
}

function whenOf(when: number): 'before' | 'after' {
  return when === MODULE_BEFORE ? 'before' : 'after'
}

function writeData(
  out: RdbOutput,
  { idHigh, idLow }: Pick<KeptData, 'idHigh' | 'idLow'>,
  when: number,
  items: Uint8Array,
) {
  if (items.length === 0) return
  out.byte(OP_MODULE_AUX)
  out.length64(idHigh, idLow)
  out.length(MODULE_UINT)
  out.length(when)
  out.reserve(items.length)
  out.u8.set(items, out.pos)
  out.pos += items.length
  out.length(MODULE_EOF)
}

/** A copy of all parts together. */
function joined(parts: Iterable<Uint8Array>): Uint8Array {
  const copies: Uint8Array[] = []
  let length = 0
  for (const part of parts) {
    copies.push(part.slice())
    length += part.length
  }
  if (copies.length === 1) return copies[0]
  const whole = new Uint8Array(length)
  let at = 0
  for (const copy of copies) {
    whole.set(copy, at)
    at += copy.length
  }
  return whole
}
