// LentAllocations: allocations into which long arguments are received. A value takes such an allocation over instead of
// copying its bytes.
//
//   lend ─▶ bytes arrive [extend] ─▶ offer: the command runs ─┬▶ take: the allocation is a value's
//                                                             └▶ giveBack: it is freed
//
// Always: `bytes` is the sum of the sizes of what is lent: it is part of the arena's usedBytes, but not of the dataset.
// What was taken does not move, so that the argument can be read until the command returns.

import type { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from './arena.ts'

export class LentAllocations {
  bytes = 0
  private readonly arena: Arena
  /** Those of the command that runs now; 0 where one was taken. */
  private offered: Ref[] = []

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** An allocation of at least `bytes`. */
  lend(bytes: number): Ref {
    const ref = this.arena.alloc(bytes)
    this.bytes += this.arena.sizeOf(ref)
    return ref
  }

  /** An allocation of another length with the first `keep` bytes of `ref`, which is given back. */
  extend(ref: Ref, bytes: number, keep: number): Ref {
    const fresh = this.lend(bytes)
    this.arena.copy(fresh, 0, ref, 0, keep)
    this.giveBack(ref)
    return fresh
  }

  giveBack(ref: Ref): void {
    this.bytes -= this.arena.sizeOf(ref)
    this.arena.free(ref)
  }

  /** A copy of what is in an allocation, which is given back. */
  takeOut(ref: Ref): Uint8Array {
    const at = this.arena.at(ref)
    const bytes = this.arena.u8(ref).slice(at, at + this.arena.sizeOf(ref))
    this.giveBack(ref)
    return bytes
  }

  /** An allocation with these bytes. */
  putBack(bytes: Uint8Array): Ref {
    const ref = this.lend(bytes.length)
    this.write(ref, 0, bytes)
    return ref
  }

  /** Points `out` at the first `length` bytes. */
  slice(ref: Ref, length: number, out: Slice): Slice {
    const { u8, dv } = this.arena.segment(ref)
    return out.set(u8, dv, this.arena.at(ref), length)
  }

  /** Its bytes [from .. to), valid until anything is allocated or freed. */
  view(ref: Ref, from: number, to: number): Uint8Array {
    const at = this.arena.at(ref)
    return this.arena.u8(ref).subarray(at + from, at + to)
  }

  /** Copies bytes into an allocation. */
  write(ref: Ref, offset: number, from: Uint8Array): void {
    this.arena.u8(ref).set(from, this.arena.at(ref) + offset)
  }

  /** From now on take() looks at these allocations, and makes an item 0; returns those of before. */
  offer(refs: Ref[]): Ref[] {
    const before = this.offered
    this.offered = refs
    return before
  }

  /** The allocation that an argument is in, which becomes the caller's; 0: it is in none. */
  take(value: Slice): Ref {
    const { arena, offered } = this
    for (let i = 0; i < offered.length; i++) {
      const ref = offered[i]
      if (ref === 0 || arena.at(ref) !== value.off || arena.u8(ref) !== value.u8) continue
      offered[i] = 0
      this.bytes -= arena.sizeOf(ref)
      arena.trim(ref, value.len)
      return ref
    }
    return 0
  }
}
