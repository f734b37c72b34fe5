// Gen: the source of the grammars' words. All randomness comes from one seed, so an epoch of the fuzzer is repeatable.
//
// Always: keys and members come from small pools, so that commands share data; numbers come in ordinary, extreme and
// malformed forms.

import { seededRandom } from '../../src/system/virtual.ts'

/** One word of a command; latin1, one char per byte. */
export type Word = string

/** What a grammar builds arguments from: words, numbers, and lists of them at any depth. */
export type Words = string | number | readonly Words[]

export type KeyKind = 's' | 'l' | 'h' | 'e' | 'z' | 'x' | 'b' | 'p' | 'g'

const KEYS_PER_KIND = 4
const KEY_KINDS: readonly KeyKind[] = ['s', 'l', 'h', 'e', 'z', 'x', 'b', 'p', 'g']
/** Where integers turn over, and one beside each, with both signs: 2^31, 2^32, 2^53, 2^63, 2^64. */
const INTEGERS_EXTREME = [31n, 32n, 53n, 63n, 64n]
  .flatMap(bits => [-1n, 0n, 1n].map(beside => (1n << bits) + beside))
  .flatMap(n => [String(n), String(-n)])
const SCORES_ODD = [
  'inf',
  '-inf',
  '+inf',
  '1e300',
  '-1e-300',
  '1.5e3',
  '0x10',
  '-0',
  '3.0',
  '1e',
  'nan',
  '',
  ' 1',
  'one',
]
const JUNK = ['', '-1', '0', '-0', '+1', '01', ' 1', '1.5', 'abc', 'nan', '(1', '[a', '$', '0-0', '\xff', 'WITHSCORES']

export class Gen {
  private readonly unit: () => number
  private readonly u32: () => number

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.unit = () => random.unit()
    this.u32 = () => random.u32()
  }

  // ---- choices ----

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** An integer low <= n <= high. */
  number(low: number, high: number): number {
    return low + (this.u32() % (high - low + 1))
  }

  pick<T extends readonly Words[]>(...choices: T): T[number] {
    return choices[this.u32() % choices.length]
  }

  /** The words with that probability, else none. */
  maybe(words: Words, probability = 0.4): Words {
    return this.chance(probability) ? words : []
  }

  /** Between low and high results of `make`. */
  some(low: number, high: number, make: () => Words): Words {
    return Array.from({ length: this.number(low, high) }, make)
  }

  /** Each of these options with some probability, in random order. */
  shuffled(...options: readonly Words[]): Words {
    const rest = options.filter(option => !Array.isArray(option) || option.length > 0)
    for (let i = rest.length - 1; i > 0; i--) {
      const k = this.number(0, i)
      ;[rest[i], rest[k]] = [rest[k], rest[i]]
    }
    return rest
  }

  // ---- keys ----

  /** Mostly a key with a value of this kind, sometimes another. */
  key(kind?: KeyKind): Word {
    const own = kind !== undefined && this.chance(0.9)
    return (own ? kind : this.pick(...KEY_KINDS)) + this.number(1, KEYS_PER_KIND)
  }

  /** A sorted set with only scores of 0 and no other commands, since the lex order of mixed scores is undefined. */
  lexKey(): Word {
    return `y${this.number(1, KEYS_PER_KIND)}`
  }

  /** A geo set that only GEOADD fills, without two equal places: the order of equal distances is undefined. */
  placesKey(): Word {
    return `w${this.number(1, KEYS_PER_KIND)}`
  }

  pattern(): Word {
    return this.pick('*', 's*', '?1', '[lh]*', 'z[^1]', '*2', 'e3', '\\*', 'm*', 'f?', 'none')
  }

  // ---- values ----

  /** The value of a string, a list element, a hash value. */
  value(): Word {
    switch (this.number(0, 9)) {
      case 0:
        return ''
      case 1:
        return this.text(this.number(60, 200))
      case 2:
        return this.chance(0.2) ? this.text(this.number(2000, 9000)) : this.text(20)
      case 3:
        return this.pick('\x01\x00', '\xff\xfe', 'a\r\nb', 'a b', '\x80\x00\x7f')
      case 4:
        return this.float()
      case 5:
      case 6:
        return this.integer()
      default:
        return this.text(this.number(1, 12))
    }
  }

  text(length: number): Word {
    let text = ''
    while (text.length < length) text += this.u32().toString(36)
    return text.slice(0, length)
  }

  /** A member or field from a small pool that includes numbers. */
  member(): Word {
    const n = this.number(0, 39)
    if (n < 18) return String(this.number(-3, 24))
    if (n < 36) return `m${this.number(0, 24)}`
    return this.pick('', '70000', '5000000000', 'a'.repeat(70), 'b\x00', '1.5')
  }

  field(): Word {
    return this.chance(0.8) ? `f${this.number(0, 16)}` : this.member()
  }

  // ---- numbers ----

  /** Where integers turn over. */
  extreme(): Word {
    return this.pick(...INTEGERS_EXTREME)
  }

  /** An integer low <= n <= high, sometimes an extreme one. For arguments of which any value is answered at once. */
  around(low: number, high: number): Word {
    return this.chance(0.04) ? this.extreme() : String(this.number(low, high))
  }

  /** An integer, sometimes extreme or malformed. */
  integer(): Word {
    if (this.chance(0.05)) return this.extreme()
    if (this.chance(0.02)) return this.pick(...JUNK)
    return String(this.chance(0.7) ? this.number(-10, 30) : this.number(-100000, 100000))
  }

  /** A position in a list or a string: around its ends. */
  index(): Word {
    return this.chance(0.02) ? this.integer() : this.around(-15, 15)
  }

  count(): Word {
    return this.chance(0.03) ? this.integer() : this.around(0, 12)
  }

  float(): Word {
    if (this.chance(0.02)) return this.extreme()
    if (this.chance(0.04)) return this.pick(...SCORES_ODD)
    const n = this.number(-4000, 4000)
    return String(this.pick(n, n / 4, n / 10, n / 1000))
  }

  score(): Word {
    if (this.chance(0.04)) return this.pick(...SCORES_ODD)
    return this.chance(0.7) ? String(this.number(-5, 20)) : this.float()
  }

  scoreBound(): Word {
    if (this.chance(0.2)) return this.pick('-inf', '+inf', '(inf', '(-inf')
    return (this.chance(0.25) ? '(' : '') + this.score()
  }

  lexBound(): Word {
    if (this.chance(0.3)) return this.pick('-', '+')
    if (this.chance(0.03)) return this.pick(...JUNK)
    return this.pick('[', '(') + this.member()
  }

  // No large valid offsets: strings of hundreds of megabytes take long to compare.
  bitOffset(): Word {
    return this.chance(0.03)
      ? this.pick('-1', '4294967296', '9223372036854775808', 'x', '')
      : String(this.number(0, 400))
  }

  bit(): Word {
    return this.chance(0.03) ? this.pick('2', '-1', 'x') : this.pick('0', '1')
  }

  /** Seconds to live: in the past, or beyond the end of any run. */
  ttlSeconds(): Word {
    if (this.chance(0.04)) return this.extreme()
    return this.chance(0.06)
      ? this.pick('0', '-1', '-100', '9223372036854775807', '9223372036854775', 'x', '')
      : String(this.number(1000, 100000))
  }

  ttlMs(): Word {
    if (this.chance(0.04)) return this.extreme()
    return this.chance(0.06) ? this.pick('0', '-1', '9223372036854775807', '1.5', 'x') : String(this.number(1e6, 1e8))
  }

  /** A time far in the future, in seconds, or an invalid one. */
  unixSeconds(): Word {
    if (this.chance(0.04)) return this.extreme()
    return this.chance(0.06) ? this.pick('0', '-5', '9223372036854775807') : String(4e9 + this.number(0, 1e6))
  }

  unixMs(): Word {
    if (this.chance(0.04)) return this.extreme()
    return this.chance(0.06) ? this.pick('0', '-5', '9223372036854775807', '1.5') : String(4e12 + this.number(0, 1e9))
  }

  /** A time in the past, for commands that then delete the key at once. */
  unixPast(): Word {
    return this.pick('1', '0', '-5', '1600000000')
  }

  /** A malformed command: a word dropped, added, duplicated or replaced. */
  broken(words: Word[]): Word[] {
    const result = [...words]
    const at = this.number(1, result.length)
    switch (this.number(0, 3)) {
      case 0:
        if (at < result.length) result.splice(at, 1)
        break
      case 1:
        result.splice(at, 0, this.pick(...JUNK))
        break
      case 2:
        if (at < result.length) result.splice(at, 0, result[at])
        break
      default:
        if (at < result.length) result[at] = this.pick(...JUNK)
    }
    return result
  }
}

/** Words at any depth as one flat row of text. */
export function flatten(words: Words): Word[] {
  if (typeof words === 'object') return words.flatMap(flatten)
  return [String(words)]
}
