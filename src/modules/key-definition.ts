// Keys of the built-in types as modules read them, without a command. Strings are bytes, copied.
//
// Always: a handle looks its key up at each use, so that it is true whatever has been called meanwhile; a key that has
// gone is empty, one that has another type now throws WRONGTYPE.

import type { ModuleWord } from './definition.ts'

export interface HashKey {
  readonly size: number
  get(field: ModuleWord): Uint8Array | undefined
  has(field: ModuleWord): boolean
  entries(): [field: Uint8Array, value: Uint8Array][]
}

export interface ListKey {
  readonly length: number
  /** From the end if negative; undefined: there is none. */
  at(index: number): Uint8Array | undefined
  /** As slice() of arrays. */
  slice(start?: number, end?: number): Uint8Array[]
}

export interface SetKey {
  readonly size: number
  has(member: ModuleWord): boolean
  members(): Uint8Array[]
}

export interface SortedSetKey {
  readonly size: number
  score(member: ModuleWord): number | undefined
  /** By rank, as slice() of arrays, the lowest score first. */
  slice(start?: number, end?: number): [member: Uint8Array, score: number][]
}

export interface StreamKeyEntry {
  readonly id: string
  readonly fields: [field: Uint8Array, value: Uint8Array][]
}

export interface StreamKey {
  readonly length: number
  /** Of the newest entry that ever was. */
  readonly lastId: string
  /** Entries from one id to another, both included; `count`: so many at most. */
  range(from?: string, to?: string, count?: number): StreamKeyEntry[]
}

/** Each is undefined for a key that does not exist, and throws WRONGTYPE for one of another type. */
export interface BuiltInKeys {
  string(key: ModuleWord): Uint8Array | undefined
  hash(key: ModuleWord): HashKey | undefined
  list(key: ModuleWord): ListKey | undefined
  set(key: ModuleWord): SetKey | undefined
  sortedSet(key: ModuleWord): SortedSetKey | undefined
  stream(key: ModuleWord): StreamKey | undefined
}
