// ValueType: the operations on values of one type. Databases, lazy freeing, compaction, digests, COPY, MEMORY USAGE,
// OBJECT ENCODING and TYPE work through it; none of them names a type.
//
//   entry   [ type 4 bits | encoding 4 bits ] … [ payload ]      payload: a ref to the value; strings may be in it
//
// `value` is the ref in the entry's payload. Serialisation is not part of it: persistence/values has a codec for each
// type.
//
// Always: a number and a name belong to one type; a type that is not registered is an error.

import { equalsNoCase } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { Digest } from './digest.ts'
import type { Entries } from './entries.ts'
import type { Keyspace } from './keyspace.ts'
import type { HashLimits } from './values/hash/hash.ts'
import type { ListLimits } from './values/list/list.ts'
import type { SetLimits } from './values/set/set.ts'
import type { RelocationCursor } from './values/shared/relocation.ts'
import type { StreamLimits } from './values/stream/stream.ts'
import type { ZSetLimits } from './values/zset/zset.ts'

/** Types and encodings have four bits each. */
const TYPE_MAX = 15
const ENCODING_MAX = 15

export interface ValueType {
  readonly id: number
  /** As TYPE prints it. */
  readonly name: string
  /** As OBJECT ENCODING prints them, by encoding. */
  readonly encodingNames: readonly (string | undefined)[]
  /** Clients may be blocked until a key no longer has such a value: KeyspaceEvents.removed is called. */
  readonly announcesRemoval: boolean
  /** Elements or nodes that freeing visits: above LAZY_EFFORT_MIN the value is freed in slices. */
  freeEffort(encoding: number, value: Ref): number
  /** Frees up to about `limit` elements; true when all of the value is freed. */
  freeStep(encoding: number, value: Ref, limit: number): boolean
  /** A deep copy. */
  copy(encoding: number, value: Ref): Ref
  /** Asked before copy(), and before anything changes: why there can be none. Absent: nothing can fail. */
  refusesCopy?(encoding: number, value: Ref): string | undefined
  /** Bytes of the value in the arena; samples at most `samples` elements (0: all). */
  memory(encoding: number, value: Ref, samples: number): number
  /**
   * Moves allocations out of evacuating segments, for the part of the value at the cursor: the work of some hundred
   * elements. Returns the value's new ref.
   */
  relocatePart(encoding: number, value: Ref, cursor: RelocationCursor): Ref
  /** Adds the contents to a digest: equal for equal values, whatever their encoding. */
  digest(entries: Entries, entry: Ref, into: Digest): void
  /** The name of a value's own type, where the values are not of one. */
  nameOf?(encoding: number, value: Ref): string
  /** Absent: all values are in the arena alone. */
  readonly areInArena?: boolean
  /** The arena was replaced by one without values of this type. */
  forgetOutside?(): void
}

/** The limits of compact encodings; the server's Settings are one. */
export interface EncodingLimits extends HashLimits, ListLimits, SetLimits, StreamLimits, ZSetLimits {}

/** Makes a type for a keyspace. */
export type ValueTypeMaker = (space: Keyspace, limits: EncodingLimits) => ValueType

/** The types of one keyspace. */
export class ValueTypes {
  private readonly byId: (ValueType | undefined)[] = new Array(TYPE_MAX + 1).fill(undefined)
  /** A bit for each type that announces removals. */
  private announcing = 0

  add(type: ValueType): void {
    if (!Number.isInteger(type.id) || type.id < 0 || type.id > TYPE_MAX)
      throw new Error(`value type '${type.name}': its number ${type.id} does not fit four bits`)
    if (type.encodingNames.length > ENCODING_MAX + 1)
      throw new Error(`value type '${type.name}': its encodings do not fit four bits`)
    for (const other of this.all())
      if (other.id === type.id || other.name === type.name)
        throw new Error(`value type '${type.name}' (${type.id}): '${other.name}' (${other.id}) is there already`)
    this.byId[type.id] = type
    if (type.announcesRemoval) this.announcing |= 1 << type.id
  }

  of(id: number): ValueType {
    const type = this.byId[id]
    if (type === undefined) throw new Error(`no value type ${id}`)
    return type
  }

  announcesRemoval(id: number): boolean {
    return ((this.announcing >>> id) & 1) !== 0
  }

  all(): ValueType[] {
    return this.byId.filter(type => type !== undefined)
  }

  /** The name of an entry's encoding. */
  encodingName(entries: Entries, entry: Ref): string {
    return this.of(entries.typeOf(entry)).encodingNames[entries.encodingOf(entry)]!
  }

  /** The name of an entry's type, as TYPE prints it. */
  nameOf(entries: Entries, entry: Ref): string {
    const type = this.of(entries.typeOf(entry))
    if (type.nameOf === undefined) return type.name
    const whole = entries.isCold(entry) ? entries.cold!.borrow(entry) : entry
    const name = type.nameOf(entries.encodingOf(whole), entries.valueOf(whole))
    if (whole !== entry) entries.freeEntry(whole)
    return name
  }

  /** Whether a value may have a type of that name (any case). */
  mayBeNamed(name: Slice): boolean {
    return this.all().some(type =>
      type.nameOf === undefined ? equalsNoCase(name, type.name) : type.areInArena === false,
    )
  }

  /** Whether an entry's type has this name (any case). */
  isNamed(entries: Entries, entry: Ref, name: Slice): boolean {
    return equalsNoCase(name, this.nameOf(entries, entry))
  }
}
