// Entries of the hash tables of large hashes and sets, found by HashTable with their keys at 0:
//
//   set member   [ member ]               each prefixed with its length (memory/prefixed.ts)
//   hash field   [ field ][ value ]
//
// Always: an entry's allocation is of the size class that its contents need.

import type { Slice } from '../../../lib/slice.ts'
import { Arena, type Ref } from '../../../memory/arena.ts'
import type { Element } from '../../../memory/element.ts'
import { prefixedBytes, prefixedEnd, readPrefixed, writePrefixed } from '../../../memory/prefixed.ts'

export function newMember(arena: Arena, member: Slice): Ref {
  const entry = arena.alloc(prefixedBytes(member.len))
  writeAt(arena, entry, 0, member)
  return entry
}

export function newField(arena: Arena, field: Slice, value: Slice): Ref {
  const head = prefixedBytes(field.len)
  const entry = arena.alloc(head + prefixedBytes(value.len))
  writeAt(arena, entry, 0, field)
  writeAt(arena, entry, head, value)
  return entry
}

/** Sets a field's value, in place if it fits; otherwise returns the new entry, and the caller frees the old. */
export function withValue(arena: Arena, entry: Ref, field: Slice, value: Slice): Ref {
  const head = prefixedBytes(field.len)
  if (Arena.sizeFor(head + prefixedBytes(value.len)) !== arena.sizeOf(entry)) return newField(arena, field, value)
  writeAt(arena, entry, head, value)
  return entry
}

function writeAt(arena: Arena, entry: Ref, offset: number, s: Slice): void {
  const seg = arena.segment(entry)
  writePrefixed(seg.u8, seg.dv, arena.at(entry) + offset, s)
}

/** Fills `e` with the member or field. */
export function readKey(arena: Arena, entry: Ref, e: Element): void {
  const seg = arena.segment(entry)
  e.isInteger = false
  readPrefixed(seg.u8, seg.dv, arena.at(entry), e.bytes)
}

/** Fills `e` with the value of a field. */
export function readValue(arena: Arena, entry: Ref, e: Element): void {
  const seg = arena.segment(entry)
  e.isInteger = false
  readPrefixed(seg.u8, seg.dv, prefixedEnd(seg.u8, seg.dv, arena.at(entry)), e.bytes)
}
