// The directives with a grammar of their own.

import { parseDouble, writeText } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { withoutLastZeros } from '../lib/strtod.ts'
import { quoted } from '../lib/words.ts'
import { type ConfigLine, type Directive, type Flags, Refusal } from './kinds.ts'
import { looseInteger, memoryAmount, memoryText } from './words.ts'

export interface SavePoint {
  seconds: number
  changes: number
}

/** save <seconds> <changes> ...: each line of a file adds its points; the first one replaces the default. */
export function savePoints(initial: readonly SavePoint[]): Directive<readonly SavePoint[], readonly SavePoint[]> {
  const print = (points: readonly SavePoint[]) => points.map(point => `${point.seconds} ${point.changes}`).join(' ')
  return {
    initial,
    manyWords: true,
    parse(words, now, reading) {
      const adds = reading.seenInFile?.has('save') === true
      if (words.length === 1 && words[0] === '') return []
      if (words.length % 2 === 1) throw new Refusal('Invalid save parameters')
      const points: SavePoint[] = adds ? [...now] : []
      for (let i = 0; i < words.length; i += 2) {
        const seconds = looseInteger(words[i])
        const changes = looseInteger(words[i + 1])
        if (seconds === null || changes === null || seconds < 1n || changes < 0n)
          throw new Refusal('Invalid save parameters')
        points.push({ seconds: Number(seconds), changes: Number(changes) })
      }
      return points
    },
    field: points => points,
    print,
    lines: (name, points) =>
      points.length === 0
        ? [{ text: `${name} ""`, needed: true }]
        : points.map(point => ({ text: `${name} ${point.seconds} ${point.changes}`, needed: true })),
  }
}

const CLIENT_CLASSES = ['normal', 'replica', 'pubsub'] as const
export type ClientClass = (typeof CLIENT_CLASSES)[number]

export interface ExactLimit {
  hard: bigint
  soft: bigint
  softSeconds: number
}

export interface OutputLimit {
  hardBytes: number
  softBytes: number
  softSeconds: number
}

/** client-output-buffer-limit <class> <hard> <soft> <soft seconds> ...; classes not named stay as they are. */
export function outputLimits(
  initial: Record<ClientClass, ExactLimit>,
): Directive<Record<ClientClass, ExactLimit>, Record<ClientClass, OutputLimit>> {
  return {
    initial,
    manyWords: true,
    parse(words, now) {
      if (words.length % 4 !== 0) throw new Refusal('Wrong number of arguments in buffer limit configuration.')
      const limits = { ...now }
      for (let i = 0; i < words.length; i += 4) {
        const lower = words[i].toLowerCase()
        const name = CLIENT_CLASSES.find(one => one === (lower === 'slave' ? 'replica' : lower))
        if (!name) throw new Refusal('Invalid client class specified in buffer limit configuration.')
        const hard = memoryAmount(words[i + 1])
        const soft = memoryAmount(words[i + 2])
        const wide = looseInteger(words[i + 3])
        // An int in Redis.
        const seconds = wide === null ? -1 : Number(BigInt.asIntN(32, wide))
        if (hard === null || soft === null || seconds < 0)
          throw new Refusal('Error in hard, soft or soft_seconds setting in buffer limit configuration.')
        limits[name] = { hard, soft, softSeconds: seconds }
      }
      return limits
    },
    field(limits) {
      const plain = (limit: ExactLimit) => ({
        hardBytes: Number(limit.hard),
        softBytes: Number(limit.soft),
        softSeconds: limit.softSeconds,
      })
      return { normal: plain(limits.normal), replica: plain(limits.replica), pubsub: plain(limits.pubsub) }
    },
    // CONFIG GET prints slave; the file has replica.
    print: limits =>
      CLIENT_CLASSES.map(name => {
        const { hard, soft, softSeconds } = limits[name]
        return `${name === 'replica' ? 'slave' : name} ${hard} ${soft} ${softSeconds}`
      }).join(' '),
    lines: (name, limits) =>
      CLIENT_CLASSES.map(kind => {
        const text = (limit: ExactLimit) =>
          `${name} ${kind} ${memoryText(limit.hard)} ${memoryText(limit.soft)} ${limit.softSeconds}`
        return { text: text(limits[kind]), needed: text(limits[kind]) !== text(initial[kind]) }
      }),
  }
}

/** oom-score-adj-values <primary> <replica> <background child>. */
export function oomScores(initial: readonly number[]): Directive<readonly number[], readonly number[]> {
  return {
    initial,
    manyWords: true,
    parse(words, _now, reading) {
      if (words.length !== 3) throw new Refusal('wrong number of arguments')
      const scores = words.map(word => {
        const score = looseInteger(word)
        if (score === null || score < -2000n || score > 2000n)
          throw new Refusal('Invalid oom-score-adj-values, elements must be between -2000 and 2000.')
        return Number(score)
      })
      if (scores[1] < scores[0] || scores[2] < scores[1])
        reading.warn(
          'The oom-score-adj-values configuration may not work for non-privileged processes! ' +
            'Please consult the documentation.',
        )
      return scores
    },
    field: scores => scores,
    print: scores => scores.join(' '),
    lines: (name, scores) => [{ text: `${name} ${scores.join(' ')}`, needed: scores.join(' ') !== initial.join(' ') }],
  }
}

/** Classes of keyspace events, one bit each: the letters of notify-keyspace-events. */
export const NOTIFY = {
  K: 1 << 0,
  E: 1 << 1,
  g: 1 << 2,
  $: 1 << 3,
  l: 1 << 4,
  s: 1 << 5,
  h: 1 << 6,
  z: 1 << 7,
  x: 1 << 8,
  e: 1 << 9,
  t: 1 << 10,
  m: 1 << 11,
  d: 1 << 13,
  n: 1 << 14,
} as const

const BIT_OF_LETTER: ReadonlyMap<string, number> = new Map(Object.entries(NOTIFY))

const ALL_LETTERS = 'g$lshzxetd'
/** A: all but m and n. */
const NOTIFY_ALL = [...ALL_LETTERS].reduce((bits, letter) => bits | BIT_OF_LETTER.get(letter)!, 0)

/** What a letter of the directive turns on, by its byte: 0 for those that are none. */
const BITS_OF_CODE = Uint16Array.from({ length: 256 }, (_, code) =>
  code === 0x41 ? NOTIFY_ALL : (BIT_OF_LETTER.get(String.fromCharCode(code)) ?? 0),
)

/** notify-keyspace-events; the field has Redis's bits (NOTIFY). */
export function notifyEvents(): Directive<number, number> {
  const print = (bits: number) => {
    const classes = (bits & NOTIFY_ALL) === NOTIFY_ALL ? 'A' : lettersIn(bits, `${ALL_LETTERS}n`)
    return classes + lettersIn(bits, 'KEm')
  }
  return {
    initial: 0,
    manyWords: false,
    parse([word]) {
      let bits = 0
      for (let i = 0; i < word.length; i++) {
        const letterBits = BITS_OF_CODE[word.charCodeAt(i)]
        if (!letterBits) throw new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        bits |= letterBits
      }
      return bits
    },
    field: bits => bits,
    print,
    lines: (name, bits) => [{ text: `${name} ${quoted(print(bits))}`, needed: bits !== 0 }],
  }
}

function lettersIn(bits: number, letters: string): string {
  return [...letters].filter(letter => bits & BIT_OF_LETTER.get(letter)!).join('')
}

export interface Address {
  host: string
  port: number
}

/** replicaof <host> <port> | no one. */
export function primaryAddress(flags: Flags): Directive<Address | null, Address | null> {
  return {
    ...flags,
    initial: null,
    manyWords: true,
    parse(words) {
      if (words.length !== 2) throw new Refusal('wrong number of arguments')
      if (words[0].toLowerCase() === 'no' && words[1].toLowerCase() === 'one') return null
      const port = looseInteger(words[1])
      if (port === null || port < 0n || port > 65535n) throw new Refusal('Invalid master port')
      return { host: words[0], port: Number(port) }
    },
    field: address => address,
    print: address => (address ? `${address.host} ${address.port}` : ''),
    lines: (name, address): ConfigLine[] =>
      address ? [{ text: `${name} ${address.host} ${address.port}`, needed: true }] : [],
  }
}

/** latency-tracking-info-percentiles <0..100> ... */
export function percentiles(initial: readonly number[]): Directive<readonly number[], readonly number[]> {
  const print = (values: readonly number[]) => values.map(shortDecimal).join(' ')
  return {
    initial,
    manyWords: true,
    parse(words) {
      if (words.length === 1 && words[0] === '') return []
      const bytes = new Slice(new Uint8Array(words.reduce((most, word) => Math.max(most, word.length), 0)))
      return words.map(word => {
        bytes.len = writeText(bytes.u8, 0, word)
        const value = parseDouble(bytes)
        if (Number.isNaN(value)) throw new Refusal('Invalid latency-tracking-info-percentiles parameters')
        if (value < 0 || value > 100)
          throw new Refusal('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]')
        return value
      })
    },
    field: values => values,
    print,
    lines: (name, values) => [{ text: `${name} ${print(values) || '""'}`, needed: true }],
  }
}

/** Six decimals at most, without zeros at the end: 99.9, 100. */
function shortDecimal(value: number): string {
  const text = withoutLastZeros(value.toFixed(6))
  return text.endsWith('.') ? text.slice(0, -1) : text
}
