// LZF, the compression of strings in RDB files and quicklist nodes. Compressed data is a sequence of
//
//   000LLLLL  bytes ...             L+1 literal bytes (1..32)
//   LLLooooo  oooooooo              L+2 bytes (3..8) copied from o+1 bytes back (1..8192)
//   111ooooo  LLLLLLLL  oooooooo    L+9 bytes (9..264) copied from o+1 bytes back
//
// Always: a copy may overlap its output; decompression never leaves either buffer, whatever the input.

const HASH_BITS = 14
/** From this length on a copy uses copyWithin. */
const LONG_COPY = 32
const LITERALS_MAX = 32
const COPY_MAX = 264
const REACH_MAX = 8192

export class LzfCompressor {
  // Where three bytes with this hash were last seen, as base + input position: a fresh base per call makes
  // older entries fall outside the input, so the table is not cleared for each small string. Made at the first use.
  private seen = new Int32Array(0)
  private base = 1

  /**
   * Compresses input[from..to) into output[at..limit); returns the bytes written, or 0 when they do not fit
   * (then the contents of that part of the output are undefined).
   */
  compress(
    input: Uint8Array,
    from: number,
    to: number,
    output: Uint8Array,
    at: number,
    limit: number = output.length,
  ): number {
    const size = to - from
    if (size <= 0) return 0
    if (this.seen.length === 0 || this.base + size > 0x7fffffff) {
      this.seen = new Int32Array(1 << HASH_BITS)
      this.base = 1
    }
    const { seen, base } = this
    const bias = base - from
    const begin = at
    let literalsFrom = from
    let i = from
    // The three bytes at `i` are next's lower 24 bits once the third is shifted in.
    let next = size > 1 ? (input[i] << 8) | input[i + 1] : 0
    while (i + 2 < to) {
      next = (next << 8) | input[i + 2]
      const hash = hashOf(next)
      const before = seen[hash]
      seen[hash] = i + bias
      const ref = before - bias
      if (before < base || threeAt(input, ref) !== (next & 0xffffff) || i - ref > REACH_MAX) {
        i++
        continue
      }
      const copyMax = Math.min(to - i, COPY_MAX)
      let copied = 3
      while (copied < copyMax && input[ref + copied] === input[i + copied]) copied++
      if (literalsFrom < i) at = putLiterals(input, literalsFrom, i, output, at, limit)
      if (at < 0 || at + 3 > limit) return this.end(size, 0)
      const distance = i - ref - 1
      if (copied < 9) output[at++] = ((copied - 2) << 5) | (distance >> 8)
      else {
        output[at++] = (7 << 5) | (distance >> 8)
        output[at++] = copied - 9
      }
      output[at++] = distance & 0xff
      i += copied
      literalsFrom = i
      // Of a copy's positions the last ones are worth an entry in the table, the first ones rarely are.
      next = (input[i - 2] << 8) | input[i - 1]
      for (let k = i - 2; k < i && k + 2 < to; k++) {
        next = (next << 8) | input[k + 2]
        seen[hashOf(next)] = k + bias
      }
    }
    at = putLiterals(input, literalsFrom, to, output, at, limit)
    return this.end(size, at < 0 ? 0 : at - begin)
  }

  private end(size: number, written: number): number {
    this.base += size
    return written
  }
}

function threeAt(u8: Uint8Array, at: number): number {
  return (u8[at] << 16) | (u8[at + 1] << 8) | u8[at + 2]
}

/** Of the three bytes in the lower 24 bits. */
function hashOf(bytes: number): number {
  return Math.imul(bytes << 8, 0x9e3779b1) >>> (32 - HASH_BITS)
}

/** Writes input[from..to) as literal runs; returns the offset after them, or -1 when they do not fit. */
function putLiterals(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  at: number,
  limit: number,
): number {
  while (from < to) {
    const run = Math.min(to - from, LITERALS_MAX)
    if (at + run + 1 > limit) return -1
    output[at++] = run - 1
    for (const end = from + run; from < end; from++, at++) output[at] = input[from]
  }
  return at
}

/** Writes `length` bytes at output[at] that repeat output[from..at). */
function repeat(output: Uint8Array, from: number, at: number, length: number): void {
  if (at - from === 1) {
    output.fill(output[from], at, at + length)
    return
  }
  const end = at + length
  // Each round doubles what can be copied.
  while (at < end) {
    const piece = Math.min(end - at, at - from)
    output.copyWithin(at, from, from + piece)
    at += piece
  }
}

/** Decompresses input[from..to) into output[at..limit); returns the bytes written, or -1 when the input is corrupt. */
export function lzfDecompress(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  at: number,
  limit: number = output.length,
): number {
  const begin = at
  let i = from
  while (i < to) {
    const control = input[i++]
    if (control < 32) {
      const run = control + 1
      if (i + run > to || at + run > limit) return -1
      for (let k = 0; k < run; k++) output[at++] = input[i++]
      continue
    }
    let copied = (control >> 5) + 2
    if (copied === 9) {
      if (i >= to) return -1
      copied += input[i++]
    }
    if (i >= to) return -1
    let ref = at - ((control & 31) << 8) - input[i++] - 1
    if (ref < begin || at + copied > limit) return -1
    if (copied >= LONG_COPY) {
      repeat(output, ref, at, copied)
      at += copied
      continue
    }
    for (let k = 0; k < copied; k++) output[at++] = output[ref++]
  }
  return at - begin
}
