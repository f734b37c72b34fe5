// Entries of the hash tables behind large hashes and sets, found by HashTable with their keys at 0:
//
//   set member   [length u8, or 255 and u32][member]
//   hash field   [length u8, or 255 and u32][field][length u8, or 255 and u32][value]
//
// Always: an entry's allocation is of the size class that its contents need.

import { copyBytes } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import { Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from '../memory/arena.ts'
import type { Element } from '../memory/element.ts'
import { lengthBytes, writeLength } from './entry.ts'

export function newMember(arena: Arena, member: Slice): Ref {
  const entry = arena.alloc(lengthBytes(member.len) + member.len)
  writeAt(arena, entry, 0, member)
  return entry
}

export function newField(arena: Arena, field: Slice, value: Slice): Ref {
  const head = lengthBytes(field.len) + field.len
  const entry = arena.alloc(head + lengthBytes(value.len) + value.len)
  writeAt(arena, entry, 0, field)
  writeAt(arena, entry, head, value)
  return entry
}

/** Gives a field another value, in place if it fits; otherwise the new entry, and the caller frees the old. */
export function withValue(arena: Arena, entry: Ref, field: Slice, value: Slice): Ref {
  const head = lengthBytes(field.len) + field.len
  if (Arena.sizeFor(head + lengthBytes(value.len) + value.len) !== arena.sizeOf(entry))
    return newField(arena, field, value)
  writeAt(arena, entry, head, value)
  return entry
}

function writeAt(arena: Arena, entry: Ref, offset: number, s: Slice): void {
  const seg = arena.segments[entry >>> SEGMENT_SHIFT]
  const at = writeLength(seg.u8, seg.dv, ((entry & GRANULE_MASK) << 4) + offset, s.len)
  copyBytes(seg.u8, seg.dv, at, s.u8, s.dv, s.off, s.len)
}

/** Fills `e` with the member or field. */
export function readKey(arena: Arena, entry: Ref, e: Element): void {
  const seg = arena.segments[entry >>> SEGMENT_SHIFT]
  const at = (entry & GRANULE_MASK) << 4
  const len = seg.u8[at]
  if (len === 255) e.setBytes(seg.u8, seg.dv, at + 5, seg.dv.getUint32(at + 1, true))
  else e.setBytes(seg.u8, seg.dv, at + 1, len)
}

/** Fills `e` with the value of a field. */
export function readValue(arena: Arena, entry: Ref, e: Element): void {
  const seg = arena.segments[entry >>> SEGMENT_SHIFT]
  let at = (entry & GRANULE_MASK) << 4
  const keyLen = seg.u8[at]
  at += keyLen === 255 ? 5 + seg.dv.getUint32(at + 1, true) : 1 + keyLen
  const len = seg.u8[at]
  if (len === 255) e.setBytes(seg.u8, seg.dv, at + 5, seg.dv.getUint32(at + 1, true))
  else e.setBytes(seg.u8, seg.dv, at + 1, len)
}
