// Keys of the built-in types as modules read and write them. Strings are bytes, copied.
//
// Always: a handle looks its key up at each use, so that it is true whatever has been called meanwhile; a key that has
// gone is empty, one that has another type now throws WRONGTYPE. A change is announced and propagated as the command of
// the core that makes it.

import type { Borrowed, ModuleWord } from './definition.ts'

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
  /** As string(), without a copy. Only while the command runs. */
  borrow(key: ModuleWord): Borrowed | undefined
  hash(key: ModuleWord): HashKey | undefined
  list(key: ModuleWord): ListKey | undefined
  set(key: ModuleWord): SetKey | undefined
  sortedSet(key: ModuleWord): SortedSetKey | undefined
  stream(key: ModuleWord): StreamKey | undefined
}

export interface StringOptions {
  /** Milliseconds since 1970. Absent: the key has no expiry. */
  readonly expiresAtMs?: number
  /** The key keeps the expiry that it has. */
  readonly keepExpiry?: boolean
}

export interface WritableHashKey extends HashKey {
  /** False: the field was there, and has another value now. */
  set(field: ModuleWord, value: ModuleWord): boolean
  /** How many there were. */
  delete(...fields: ModuleWord[]): number
}

export interface WritableListKey extends ListKey {
  /** Adds at the end; the length. */
  push(...elements: ModuleWord[]): number
  /** Adds at the start, the first word first; the length. */
  unshift(...elements: ModuleWord[]): number
  pop(): Uint8Array | undefined
  shift(): Uint8Array | undefined
  /** Throws a CommandError when there is no such element. */
  set(index: number, element: ModuleWord): void
}

export interface WritableSetKey extends SetKey {
  /** How many are new. */
  add(...members: ModuleWord[]): number
  delete(...members: ModuleWord[]): number
}

export interface WritableSortedSetKey extends SortedSetKey {
  /** True: the member is new. */
  set(member: ModuleWord, score: number): boolean
  delete(...members: ModuleWord[]): number
}

export interface WritableStreamKey extends StreamKey {
  /** `id` absent: the next by the clock. Returns the entry's. */
  add(fields: readonly (readonly [field: ModuleWord, value: ModuleWord])[], id?: string): string
  delete(...ids: string[]): number
  /** Removes the oldest entries until so many are left; how many went. */
  trim(length: number): number
}

/** Each handle is that of a key to be written: one that does not exist is empty, and its first change makes it. */
export interface WritableKeys {
  setString(key: ModuleWord, value: ModuleWord, options?: StringOptions): void
  hash(key: ModuleWord): WritableHashKey
  list(key: ModuleWord): WritableListKey
  set(key: ModuleWord): WritableSetKey
  sortedSet(key: ModuleWord): WritableSortedSetKey
  stream(key: ModuleWord): WritableStreamKey
  /** False: there was no such key. */
  delete(key: ModuleWord): boolean
  /** Milliseconds since 1970; null: none. False: there is no such key, or it had none to lose. */
  setExpiry(key: ModuleWord, atMs: number | null): boolean
}
