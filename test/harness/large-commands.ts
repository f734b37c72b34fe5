// Seeded random commands on values around the size of a piece of a record on disk (storage/record-reader.ts).

import { PIECE_BYTES } from '../../src/storage/record-reader.ts'
import type { Random } from '../../src/system/system.ts'
import type { Word } from './resp.ts'

export class LargeCommands {
  private readonly random: Random
  private readonly keys: number
  private ids = 0

  /** `keys`: of each type. */
  constructor(random: Random, keys: number) {
    this.random = random
    this.keys = keys
  }

  below(n: number): number {
    return this.random.u32() % n
  }

  private key(type: string): string {
    return `${type}${this.below(this.keys)}`
  }

  /** Mostly about as long as one piece, or two. */
  private text(): string {
    const kind = this.below(5)
    const near = kind < 3 ? PIECE_BYTES * (1 + (kind % 2)) - 60 + this.below(70) : this.below(3000)
    return `${this.below(10)}`.repeat(Math.min(near, 120_000))
  }

  private words(count: number, word: (i: number) => Word[]): Word[] {
    return Array.from({ length: count }, (_, i) => word(i)).flat()
  }

  /** One command. */
  next(): Word[] {
    const i = this.below(4000)
    switch (this.below(22)) {
      case 0:
      case 1:
        return ['set', this.key('t'), this.text()]
      case 2:
        return ['append', this.key('t'), this.text().slice(0, 5000)]
      case 3:
        return ['setrange', this.key('t'), this.below(66_000), 'changed']
      case 4:
        return ['strlen', this.key('t')]
      case 5:
        return ['getrange', this.key('t'), this.below(60_000), 70_000]
      case 6:
      case 7:
        return ['hset', this.key('h'), ...this.words(800, k => [`f${(i + k) % 2000}`, `${k}`.repeat(12)])]
      case 8:
        return ['hset', this.key('h'), `f${i % 2000}`, this.text().slice(0, 70_000)]
      case 9:
        return ['hget', this.key('h'), `f${i % 2000}`]
      case 10:
        return ['rpush', this.key('l'), ...this.words(600, k => [`${i} ${k} `.repeat(8)])]
      case 11:
        return ['ltrim', this.key('l'), this.below(200), 1200]
      case 12:
        return ['lindex', this.key('l'), this.below(1000)]
      case 13:
        return ['sadd', this.key('s'), ...this.words(700, k => [`member ${(i + k) % 2500} `.repeat(6)])]
      case 14:
        return ['scard', this.key('s')]
      case 15:
        return ['zadd', this.key('z'), ...this.words(600, k => [(i * k) % 977, `member ${(i + k) % 2000} `.repeat(5)])]
      case 16:
        return ['zrange', this.key('z'), this.below(500), 520]
      case 17:
        return ['xadd', this.key('x'), `${++this.ids}-1`, ...this.words(300, k => [`f${k}`, `${i} `.repeat(8)])]
      case 18:
        return ['xlen', this.key('x')]
      case 19:
        return ['del', this.key('thlszx'[this.below(6)])]
      case 20:
        return ['expire', this.key('thlszx'[this.below(6)]), 100_000]
      default: {
        const type = 'thlszx'[this.below(6)]
        return ['rename', this.key(type), this.key(type)]
      }
    }
  }
}
