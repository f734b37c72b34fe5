// Almost valid protocol frames: commands of every group with small keys, truncated, duplicated, overwritten and mixed.
// Seeded, so that failures are repeatable.

import { seededRandom } from '../../src/system/virtual.ts'

const WORDS = [
  ...['SET', 'GET', 'APPEND', 'INCRBY', 'SETRANGE', 'GETRANGE', 'MSET', 'DEL', 'EXPIRE', 'RENAME', 'COPY', 'OBJECT'],
  ...['LPUSH', 'LRANGE', 'LPOS', 'HSET', 'HGETALL', 'HINCRBYFLOAT', 'SADD', 'SINTER', 'SPOP', 'ZADD', 'ZRANGE'],
  ...['ZADD', 'XADD', 'XRANGE', 'PFADD', 'SETBIT', 'BITFIELD', 'GEOADD', 'EVAL', 'SORT', 'SCAN', 'MULTI', 'EXEC'],
  ...['DISCARD', 'WATCH', 'HELLO', 'RESET', 'CLIENT', 'COMMAND', 'SUBSCRIBE', 'PUBLISH', 'PING', 'RESTORE', 'INFO'],
]
const ARGUMENTS = [
  ...['k1', 'k2', 'k3', '0', '1', '-1', '2', '3', '3.5', 'inf', 'nan', '', '*', '(1', '[a', '-', '+', 'EX', 'NX', 'GT'],
  ...[
    'WITHSCORES',
    'LIMIT',
    'COUNT',
    'MATCH',
    'GET',
    'SET',
    'u8',
    'i64',
    '#0',
    '9223372036854775807',
    'LIST',
    'return 1',
  ],
  ...['return redis.call("get",KEYS[1])', 'STORE', 'BY', 'ID', 'INFO', 'DOCS', 'FIELDS', '\r\n', '$-1\r\n', '\0\xff'],
]
// What broken clients and scanners send.
const PIECES = [
  ...[
    '*',
    '$',
    '\r\n',
    '\n',
    '\r',
    '*-1\r\n',
    '*0\r\n',
    '$-1\r\n',
    '*2147483648\r\n',
    '$536870913\r\n',
    '*1\r\n$-5\r\n',
  ],
  ...[
    '*1000000\r\n',
    '*1\r\n$99999999\r\n',
    '\0',
    '\xff\xfe',
    '"',
    '\'"',
    '\\x',
    '%2\r\n',
    '>1\r\n',
    '$?\r\n',
    '*?\r\n',
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '\x16\x03\x01\x02\0\x01',
    '*3\r\n+SET\r\n',
    ':1\r\n',
    '*01\r\n$04\r\nPING\r\n',
  ],
]

export class Frames {
  private readonly random: ReturnType<typeof seededRandom>

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  below(limit: number): number {
    return this.random.u32() % limit
  }

  /** The next bytes to send: one or a few frames, most of them damaged. */
  next(): Uint8Array {
    let text = ''
    for (let left = 1 + this.below(4); left > 0; left--) text += this.below(5) === 0 ? this.pick(PIECES) : this.frame()
    for (let left = this.below(4); left > 0; left--) text = this.damage(text)
    return Uint8Array.from(text, letter => letter.charCodeAt(0))
  }

  private frame(): string {
    const words = [this.pick(WORDS)]
    for (let left = this.below(6); left > 0; left--) words.push(this.pick(ARGUMENTS))
    if (this.below(8) === 0) return `${words.join(' ')}\r\n`
    return `*${words.length}\r\n${words.map(word => `$${word.length}\r\n${word}\r\n`).join('')}`
  }

  private damage(text: string): string {
    const at = this.below(text.length + 1)
    const end = Math.min(text.length, at + 1 + this.below(8))
    switch (this.below(6)) {
      case 0:
        return text.slice(0, at)
      case 1:
        return text.slice(at)
      case 2:
        return text.slice(0, at) + text.slice(end)
      case 3:
        return text.slice(0, end) + text.slice(at)
      case 4:
        return text.slice(0, at) + this.pick(PIECES) + text.slice(at)
      default:
        return text.slice(0, at) + String.fromCharCode(this.below(256)) + text.slice(at + 1)
    }
  }

  private pick(from: readonly string[]): string {
    return from[this.below(from.length)]
  }
}
