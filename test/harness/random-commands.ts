// Seeded random commands of every type on a small keyspace, for tests that need changing data.

import type { Random } from '../../src/system/system.ts'
import type { Word } from './resp.ts'

type Maker = () => Word[]

export class RandomCommands {
  private readonly random: Random
  private readonly keys: number
  private readonly databases: number
  private readonly itemsMax: number
  /** All are equally likely. */
  private readonly makers: readonly Maker[]

  /** `itemsMax`: size of the few large values. `tallies`: also values of the type of tally-module.ts. */
  constructor(random: Random, keys = 40, databases = 3, itemsMax = 300, tallies = false) {
    this.random = random
    this.keys = keys
    this.databases = databases
    this.itemsMax = itemsMax
    this.makers = [
      ...this.stringWrites(),
      ...this.listWrites(),
      ...this.hashWrites(),
      ...this.setWrites(),
      ...this.sortedSetWrites(),
      ...this.streamWrites(),
      ...this.keyWrites(),
      ...(tallies ? this.tallyWrites() : []),
    ]
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
    return this.makers[this.below(this.makers.length)]()
  }

  private stringWrites(): Maker[] {
    const key = () => this.key('s')
    return [
      () => ['set', key(), this.text()],
      () => ['set', key(), this.text(), 'px', 1e9 + this.below(100000)],
      () => ['append', key(), this.text()],
      () => ['incrby', this.key('i'), this.below(1000)],
      () => ['setrange', key(), this.below(50), this.text()],
    ]
  }

  private listWrites(): Maker[] {
    const key = () => this.key('l')
    const text = () => this.text()
    return [
      () => ['rpush', key(), ...this.items(text)],
      () => ['lpush', key(), ...this.items(text)],
      () => ['lpop', key(), this.below(8)],
      () => ['ltrim', key(), this.below(5), -1 - this.below(5)],
      () => ['linsert', key(), 'before', 'value 1', this.text()],
    ]
  }

  private hashWrites(): Maker[] {
    const key = () => this.key('h')
    const field = () => `field ${this.below(400)}`
    return [
      () => ['hset', key(), ...this.pairs(field, () => this.text())],
      () => ['hdel', key(), ...this.items(field)],
      () => ['hincrby', key(), 'counter', this.below(100)],
    ]
  }

  private setWrites(): Maker[] {
    const key = () => this.key('e')
    const number = () => this.below(600)
    return [
      () => ['sadd', key(), ...this.items(number)],
      () => ['sadd', key(), ...this.items(() => this.text())],
      () => ['srem', key(), ...this.items(number)],
      () => ['sunionstore', key(), key(), key()],
    ]
  }

  private tallyWrites(): Maker[] {
    const key = () => this.key('y')
    const text = () => this.text()
    return [
      () => ['tally.add', key(), ...this.items(text)],
      () => ['tally.set', key(), this.text(), this.below(1000)],
      () => ['tally.log', key(), this.text()],
      () => ['tally.clear', key()],
      () => ['copy', key(), key(), 'replace'],
    ]
  }

  private sortedSetWrites(): Maker[] {
    const key = () => this.key('z')
    const member = () => `member ${this.below(400)}`
    return [
      () => ['zadd', key(), ...this.pairs(() => this.below(1000) / 7, member)],
      () => ['zrem', key(), ...this.items(member)],
      () => ['zincrby', key(), this.below(100) / 3, member()],
    ]
  }

  private streamWrites(): Maker[] {
    const key = () => this.key('x')
    const group = () => `g${this.below(2)}`
    const add: Maker = () => [
      'xadd',
      key(),
      '*',
      ...this.pairs(
        () => `field ${this.below(5)}`,
        () => this.text(),
      ),
    ]
    return [
      add,
      add,
      () => ['xtrim', key(), 'maxlen', this.below(60)],
      () => ['xgroup', 'create', key(), group(), '0', 'mkstream'],
      () => ['xreadgroup', 'group', group(), `c${this.below(3)}`, 'count', 3, 'streams', key(), '>'],
    ]
  }

  private keyWrites(): Maker[] {
    const key = () => this.key('silhezx'[this.below(7)])
    const database = () => this.below(this.databases)
    return [
      () => ['del', key(), key()],
      () => ['unlink', key()],
      () => ['pexpire', key(), 1e9 + this.below(200000)],
      () => ['persist', key()],
      () => ['rename', key(), key()],
      () => ['copy', key(), key(), 'db', database(), 'replace'],
      () => ['move', key(), database()],
      () => ['select', database()],
      () => (this.below(10) === 0 ? ['flushdb'] : ['swapdb', database(), database()]),
    ]
  }
}
