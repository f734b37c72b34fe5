// ModuleType: the ValueType of all values of modules' types: objects outside of the arena, in slots.
//
//   entry ─▶ node [ slot u32 | - ] ─▶ slots[slot]: { type, value, bytes }
//
// Always: each slot in use belongs to one node. OBJECT ENCODING says raw, TYPE the name of the value's own type.

import { reasonOf } from '../../../lib/reason.ts'
import { isUnwind } from '../../../lib/unwind.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_RAW, encodingNames, TYPE_MODULE } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from '../shared/relocation.ts'
import { type ForeignType, type ForeignTypes, NO_FOREIGN_TYPES } from './foreign-type.ts'

const NODE_BYTES = 8

export interface ForeignValue {
  type: ForeignType
  value: unknown
  /** As counted in outsideBytes. */
  bytes: number
  /** Set once freeing has begun. */
  freeing: Iterator<void, void> | undefined
}

export class ModuleType implements ValueType {
  readonly id = TYPE_MODULE
  readonly name = 'module'
  readonly encodingNames = encodingNames(ENC_RAW)
  readonly announcesRemoval = true
  /** Types that files may have; set by the server. */
  foreign: ForeignTypes = NO_FOREIGN_TYPES
  /** Memory of all values, as their types measure it. */
  outsideBytes = 0
  private readonly arena: Arena
  private slots: (ForeignValue | undefined)[] = []
  private readonly unused: number[] = []
  /** Made by refusesCopy(), for the copy() that follows. */
  private copied: { readonly value: unknown } | undefined

  constructor(space: Keyspace) {
    this.arena = space.arena
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): ModuleType {
    return space.types.of(TYPE_MODULE) as ModuleType
  }

  // ---- values ----

  make(type: ForeignType, value: unknown): Ref {
    const slot = this.unused.pop() ?? this.slots.length
    const node = this.arena.alloc(NODE_BYTES)
    this.arena.dv(node).setUint32(this.arena.at(node), slot, true)
    this.slots[slot] = { type, value, bytes: 0, freeing: undefined }
    this.measure(node)
    return node
  }

  at(node: Ref): ForeignValue {
    return this.slots[this.slotOf(node)]!
  }

  private slotOf(node: Ref): number {
    return this.arena.dv(node).getUint32(this.arena.at(node), true)
  }

  /** Counts the memory of a value that has changed. */
  measure(node: Ref): void {
    const one = this.at(node)
    const bytes = one.type.memory(one.value)
    this.outsideBytes += bytes - one.bytes
    one.bytes = bytes
  }

  /** All values, also those that are still to be freed. */
  *all(): Generator<ForeignValue, void, void> {
    for (const one of this.slots) if (one !== undefined && one.freeing === undefined) yield one
  }

  // ---- ValueType ----

  nameOf(_encoding: number, value: Ref): string {
    return this.at(value).type.name
  }

  get areInArena(): boolean {
    return this.slots.length === this.unused.length
  }

  forgetOutside(): void {
    for (const one of this.slots)
      if (one !== undefined) {
        one.freeing ??= one.type.free(one.value)
        while (one.freeing.next().done !== true);
      }
    this.slots = []
    this.unused.length = 0
    this.outsideBytes = 0
  }

  freeEffort(_encoding: number, value: Ref): number {
    const one = this.at(value)
    return one.type.freeEffort(one.value)
  }

  freeStep(_encoding: number, value: Ref, limit: number): boolean {
    const one = this.at(value)
    one.freeing ??= one.type.free(one.value)
    for (let left = limit; one.freeing.next().done !== true; ) if (--left <= 0) return false
    const slot = this.slotOf(value)
    this.slots[slot] = undefined
    this.unused.push(slot)
    this.outsideBytes -= one.bytes
    this.arena.free(value)
    return true
  }

  copy(_encoding: number, value: Ref): Ref {
    const { type, value: own } = this.at(value)
    const { copied } = this
    this.copied = undefined
    return this.make(type, copied === undefined ? type.copy(own) : copied.value)
  }

  /** A module's code may throw: it makes the copy here. */
  refusesCopy(_encoding: number, value: Ref): string | undefined {
    const { type, value: own } = this.at(value)
    try {
      this.copied = { value: type.copy(own) }
      return undefined
    } catch (error) {
      if (isUnwind(error)) throw error
      return `module key failed to copy: ${reasonOf(error)}`
    }
  }

  memory(_encoding: number, value: Ref): number {
    const one = this.at(value)
    return this.arena.sizeOf(value) + one.type.memory(one.value)
  }

  relocatePart(_encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    cursor.done = true
    return this.arena.relocate(value)
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const { type, value } = this.at(entries.valueOf(entry))
    type.digest(value, into)
  }
}
