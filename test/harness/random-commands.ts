// Random commands over a small keyspace, of every type, for tests that only care that much happens. From a seed.

import type { Random } from '../../src/server/system/system.ts'
import type { Word } from './resp.ts'

export class RandomCommands {
  private readonly random: Random
  private readonly keys: number
  private readonly databases: number
  private readonly itemsMax: number

  /** `itemsMax`: of the few values that are large. */
  constructor(random: Random, keys = 40, databases = 3, itemsMax = 300) {
    this.random = random
    this.keys = keys
    this.databases = databases
    this.itemsMax = itemsMax
  }

  below(n: number): number {
    return this.random.u32() % n
  }

  private key(type: string): string {
    return `${type}${this.below(this.keys)}`
  }

  private text(): string {
    const kind = this.below(8)
    if (kind === 0) return String(this.below(100000) - 50000)
    if (kind === 1) return 'ab'.repeat(this.below(this.itemsMax))
    if (kind === 2) return String.fromCharCode(...this.random.bytes(this.below(60)))
    return `value ${this.below(1000)}`
  }

  private items(word: () => Word): Word[] {
    const n = this.below(12) === 0 ? this.itemsMax : 1 + this.below(6)
    return Array.from({ length: n }, word)
  }

  private pairs(first: () => Word, second: () => Word): Word[] {
    return this.items(() => '').flatMap(() => [first(), second()])
  }

  /** One command. */
  next(): Word[] {
    switch (this.below(34)) {
      case 0:
        return ['set', this.key('s'), this.text()]
      case 1:
        return ['set', this.key('s'), this.text(), 'px', 1e9 + this.below(100000)]
      case 2:
        return ['append', this.key('s'), this.text()]
      case 3:
        return ['incrby', this.key('i'), this.below(1000)]
      case 4:
        return ['setrange', this.key('s'), this.below(50), this.text()]
      case 5:
        return ['rpush', this.key('l'), ...this.items(() => this.text())]
      case 6:
        return ['lpush', this.key('l'), ...this.items(() => this.text())]
      case 7:
        return ['lpop', this.key('l'), this.below(8)]
      case 8:
        return ['ltrim', this.key('l'), this.below(5), -1 - this.below(5)]
      case 9:
        return ['linsert', this.key('l'), 'before', 'value 1', this.text()]
      case 10:
        return [
          'hset',
          this.key('h'),
          ...this.pairs(
            () => `field ${this.below(400)}`,
            () => this.text(),
          ),
        ]
      case 11:
        return ['hdel', this.key('h'), ...this.items(() => `field ${this.below(400)}`)]
      case 12:
        return ['hincrby', this.key('h'), 'counter', this.below(100)]
      case 13:
        return ['sadd', this.key('e'), ...this.items(() => this.below(600))]
      case 14:
        return ['sadd', this.key('e'), ...this.items(() => this.text())]
      case 15:
        return ['srem', this.key('e'), ...this.items(() => this.below(600))]
      case 16:
        return [
          'zadd',
          this.key('z'),
          ...this.pairs(
            () => this.below(1000) / 7,
            () => `member ${this.below(400)}`,
          ),
        ]
      case 17:
        return ['zrem', this.key('z'), ...this.items(() => `member ${this.below(400)}`)]
      case 18:
        return ['zincrby', this.key('z'), this.below(100) / 3, `member ${this.below(400)}`]
      case 19:
      case 20:
        return [
          'xadd',
          this.key('x'),
          '*',
          ...this.pairs(
            () => `field ${this.below(5)}`,
            () => this.text(),
          ),
        ]
      case 21:
        return ['xtrim', this.key('x'), 'maxlen', this.below(60)]
      case 22:
        return ['xgroup', 'create', this.key('x'), `g${this.below(2)}`, '0', 'mkstream']
      case 23: {
        const key = this.key('x')
        return ['xreadgroup', 'group', `g${this.below(2)}`, `c${this.below(3)}`, 'count', 3, 'streams', key, '>']
      }
      case 24:
        return ['del', this.any(), this.any()]
      case 25:
        return ['unlink', this.any()]
      case 26:
        return ['pexpire', this.any(), 1e9 + this.below(200000)]
      case 27:
        return ['persist', this.any()]
      case 28:
        return ['rename', this.any(), this.any()]
      case 29:
        return ['copy', this.any(), this.any(), 'db', this.below(this.databases), 'replace']
      case 30:
        return ['move', this.any(), this.below(this.databases)]
      case 31:
        return ['select', this.below(this.databases)]
      case 32:
        return this.below(10) === 0 ? ['flushdb'] : ['swapdb', this.below(this.databases), this.below(this.databases)]
      default:
        return ['sunionstore', this.key('e'), this.key('e'), this.key('e')]
    }
  }

  private any(): string {
    return this.key('silhezx'[this.below(7)])
  }
}
