// ReplyReader against a naive model that reads a whole text by recursion: random replies cut anywhere, and the same
// with bytes changed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { bytesOf } from '../lib/bytes.ts'
import { ReplyReader } from './reply-reader.ts'
import { Push, ReplyError, type Value } from './value.ts'

type Random = (n: number) => number

interface Outcome {
  values: (Value | Push)[]
  failed: boolean
}

/** A random value as it is sent. */
function wireOf(random: Random, depth: number): string {
  const bytes = () => Array.from({ length: random(9) }, () => String.fromCharCode(random(256))).join('')
  const word = () => bytes().replace(/[\r\n]/g, '.')
  const count = () => random(random(8) === 0 ? 12 : 4)
  const several = (n: number) => Array.from({ length: n }, () => wireOf(random, depth + 1)).join('')
  const bulk = bytes()
  const n = count()
  const flat = [
    () => `+${word()}\r\n`,
    () => `-ERR ${word()}\r\n`,
    () => `:${random(2) === 0 ? '-' : ''}${random(1 << 30)}\r\n`,
    () => ':-9223372036854775808\r\n',
    () => `$${bulk.length}\r\n${bulk}\r\n`,
    () => ['$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '#f\r\n'][random(5)],
    () => [',1.25\r\n', ',-inf\r\n', ',nan\r\n', '(-123456789012345678901\r\n'][random(4)],
    () => `=${bulk.length + 4}\r\ntxt:${bulk}\r\n`,
    () => `!${bulk.length}\r\n${bulk}\r\n`,
  ]
  const nested = [
    () => `*${n}\r\n${several(n)}`,
    () => `~${n}\r\n${several(n)}`,
    () => `%${n}\r\n${several(2 * n)}`,
    () => `|${n}\r\n${several(2 * n)}${wireOf(random, depth + 1)}`,
  ]
  const top = [() => `>${n + 1}\r\n${several(n + 1)}`, () => `\n\n${wireOf(random, 0)}`]
  const forms = depth >= 4 ? flat : [...flat, ...nested, ...(depth === 0 ? top : [])]
  return forms[random(forms.length)]()
}

class More extends Error {}

/** Reads a text from its beginning to its end, a value at a time. */
class Naive {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  all(): Outcome {
    const values: (Value | Push)[] = []
    try {
      for (;;) values.push(this.value(true))
    } catch (error) {
      return { values, failed: !(error instanceof More) }
    }
  }

  private line(): string {
    const at = this.text.indexOf('\r\n', this.at)
    const line = this.text.slice(this.at, at < 0 ? undefined : at)
    if (/[\r\n]./s.test(at < 0 ? line : `${line}.`)) throw new Error('broken line')
    if (at < 0) throw new More()
    this.at = at + 2
    return line
  }

  private size(line: string): number {
    if (!/^[-+]?\d{1,20}$/.test(line) || line.length > 20 || Number(line) < -1) throw new Error('size')
    return Number(line)
  }

  private bytes(length: number): string {
    if (this.at + length + 2 > this.text.length) throw new More()
    const bytes = this.text.slice(this.at, this.at + length)
    if (this.text.slice(this.at + length, this.at + length + 2) !== '\r\n') throw new Error('no end')
    this.at += length + 2
    return bytes
  }

  private several(n: number): Value[] {
    const values: Value[] = []
    for (let i = 0; i < n; i++) values.push(this.value(false) as Value)
    return values
  }

  private value(isTop: boolean): Value | Push {
    while (isTop && this.text[this.at] === '\n') this.at++
    if (this.at >= this.text.length) throw new More()
    const type = this.text[this.at++]
    if (!'+-:$*_#,(=!~%>|'.includes(type)) throw new Error('type')
    const line = this.line()
    if (type === '+') return line
    if (type === '-') return new ReplyError(line)
    if (type === '_' && line === '') return null
    if (type === '#' && /^[tf]$/.test(line)) return line === 't'
    if (type === '(' && /^[+-]?\d+$/.test(line)) return line
    if (type === ',' && /^-?(inf|nan)$/.test(line))
      return line.endsWith('nan') ? Number.NaN : Number(`${line.slice(0, -3)}Infinity`)
    if (type === ',' && /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(line)) return Number(line)
    if (!':$=!*~%>|'.includes(type)) throw new Error('value')
    if (type === ':') {
      if (!/^[-+]?\d{1,20}$/.test(line) || line.length > 20) throw new Error('integer')
      return Number.isSafeInteger(Number(line)) ? Number(line) + 0 : BigInt(line)
    }
    const size = this.size(line)
    if (type === '>' && (!isTop || size < 1)) throw new Error('push')
    if (size > 2 ** 31 - 1) throw new Error('beyond')
    if (size < 0) return null
    if (type === '$') return bytesOf(this.bytes(size))
    if (type === '!') return new ReplyError(this.bytes(size))
    if (type === '=') {
      const text = this.bytes(size)
      if (size < 4) throw new Error('format')
      return bytesOf(text.slice(4))
    }
    if (type === '>') return new Push(this.several(size))
    if (type === '|') {
      this.several(2 * size)
      return this.value(isTop)
    }
    return this.several(type === '%' ? 2 * size : size)
  }
}

/** Reads the text in pieces that end where `cut` says. */
function readIn(text: string, cut: (at: number) => number): Outcome {
  const reader = new ReplyReader()
  const values: (Value | Push)[] = []
  try {
    for (let at = 0; at < text.length; ) {
      const to = Math.min(text.length, cut(at))
      reader.feed(bytesOf(text.slice(at, to)))
      for (let value = reader.next(); value !== undefined; value = reader.next()) values.push(value)
      at = to
    }
    return { values, failed: false }
  } catch (error) {
    assert.match(String(error), /^Error: the server/)
    return { values, failed: true }
  }
}

function check(text: string, random: Random, cutEverywhere: boolean): Outcome {
  const whole = readIn(text, () => text.length)
  const naive = new Naive(text).all()
  const shown = JSON.stringify(text)
  assert.deepEqual(whole.values, naive.values, shown)
  // The reader may see at the beginning of a line that it will be wrong; the model waits for its end.
  if (naive.failed) assert.ok(whole.failed, shown)
  assert.deepEqual(
    readIn(text, at => at + 1),
    whole,
    shown,
  )
  assert.deepEqual(
    readIn(text, at => at + 1 + random(20)),
    whole,
    shown,
  )
  if (cutEverywhere)
    for (let i = 1; i < text.length; i++)
      assert.deepEqual(
        readIn(text, at => (at < i ? i : text.length)),
        whole,
        shown,
      )
  return whole
}

test('random replies come out as the model has them, cut at every byte', () => {
  const random = randomFrom(20_240)
  for (let round = 0; round < 400; round++) {
    const text = Array.from({ length: 1 + random(4) }, () => wireOf(random, 0)).join('')
    const { values, failed } = check(text, random, text.length < 300)
    assert.ok(values.length > 0 && !failed, JSON.stringify(text))
  }
})

test('replies with changed bytes are read as the model reads them, or refused', () => {
  const random = randomFrom(77)
  const bytes = '\r\n$*%~|>=!+-:_#,(0123456789ftx\0\xff'
  let refused = 0
  for (let round = 0; round < 4000; round++) {
    let text = Array.from({ length: 1 + random(3) }, () => wireOf(random, 0)).join('')
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const at = random(text.length)
      const change = bytes[random(bytes.length)].repeat(random(3))
      text = text.slice(0, at) + change + text.slice(at + random(3))
    }
    if (check(text, random, false).failed) refused++
  }
  assert.ok(refused > 1000)
})
