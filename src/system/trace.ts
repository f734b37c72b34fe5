// Trace: a hash of everything that happened in a simulation, to compare runs.
//
// Two 32-bit hashes with the multipliers of murmur3, each over the same words.

export class Trace {
  /** Number of words hashed. */
  words = 0
  private a = 0x9747b28c
  private b = 0x3c6ef372

  /** One integer below 2^53. */
  add(value: number): void {
    this.word(value >>> 0)
    this.word((value / 2 ** 32) >>> 0)
  }

  bytes(u8: Uint8Array): void {
    this.word(u8.length)
    let at = 0
    for (; at + 4 <= u8.length; at += 4) this.word(u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24))
    for (; at < u8.length; at++) this.word(u8[at])
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return (this.a >>> 0).toString(16).padStart(8, '0') + (this.b >>> 0).toString(16).padStart(8, '0')
  }

  private word(word: number): void {
    this.words++
    let k = Math.imul(word, 0xcc9e2d51)
    this.a = Math.imul(this.a ^ ((k << 15) | (k >>> 17)), 0x1b873593) + 0x38b34ae5
    k = Math.imul(word ^ 0x5bd1e995, 0x1b873593)
    this.b = Math.imul(((this.b << 13) | (this.b >>> 19)) ^ k, 0xcc9e2d51) + 0xe6546b64
  }
}
