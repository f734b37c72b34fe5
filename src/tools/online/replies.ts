// ReplyReader: RESP2 as its bytes come, made into values.
//
//   :1 → number   $… → bytes   +OK → text   -ERR … → ReplyError   *… → list   nil → null
//
// Always: a value that is not whole yet costs no second look at the elements before it.

import { bytesOf } from '../../lib/bytes.ts'

/** An error that a server answered. */
export class ReplyError {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Value = number | string | Uint8Array | null | ReplyError | Value[]

interface List {
  items: Value[]
  left: number
}

const START_BYTES = 64 * 1024
const KEEP_BYTES = 4 << 20
const CR = 13
const LF = 10

export class ReplyReader {
  private u8 = new Uint8Array(START_BYTES)
  private pos = 0
  private end = 0
  private wanted = 0
  private readonly lists: List[] = []
  /** Bytes that whole values took, ever. */
  consumed = 0

  feed(bytes: Uint8Array): void {
    const keep = this.end - this.pos
    if (this.end + bytes.length > this.u8.length) {
      const room = Math.max(keep + bytes.length, this.wanted)
      if (room > this.u8.length || (keep === 0 && this.u8.length > KEEP_BYTES)) {
        const grown = new Uint8Array(Math.max(START_BYTES, room > this.u8.length ? room * 2 : room))
        grown.set(this.u8.subarray(this.pos, this.end))
        this.u8 = grown
      } else this.u8.copyWithin(0, this.pos, this.end)
      this.pos = 0
      this.end = keep
    }
    this.u8.set(bytes, this.end)
    this.end += bytes.length
  }

  /** What came and was not made into values: it is taken away. */
  rest(): Uint8Array {
    const bytes = this.u8.slice(this.pos, this.end)
    this.pos = this.end = 0
    return bytes
  }

  /** The next whole value; undefined: more must come. Throws an Error for what is no RESP2. */
  next(): Value | undefined {
    for (;;) {
      let value = this.element()
      if (value === undefined) return undefined
      if (value === OPENED) continue
      for (;;) {
        const list = this.lists[this.lists.length - 1]
        if (list === undefined) return value
        list.items.push(value)
        if (--list.left > 0) break
        this.lists.pop()
        value = list.items
      }
    }
  }

  private element(): Value | typeof OPENED | undefined {
    const { u8, end } = this
    // A server that has nothing to say yet says so with empty lines.
    while (this.pos < end && u8[this.pos] === LF) this.take(this.pos + 1, null)
    const { pos } = this
    let eol = pos + 1
    while (eol + 1 < end && u8[eol] !== CR) eol++
    if (eol + 1 >= end) return undefined
    const mark = u8[pos]
    const after = eol + 2
    if (mark === DOLLAR) {
      const length = this.integer(pos + 1, eol)
      if (length < 0) return this.take(after, null)
      if (after + length + 2 > end) {
        this.wanted = after + length + 2 - pos
        return undefined
      }
      return this.take(after + length + 2, u8.slice(after, after + length))
    }
    if (mark === COLON) return this.take(after, this.integer(pos + 1, eol))
    if (mark === STAR) {
      const left = this.integer(pos + 1, eol)
      this.take(after, null)
      if (left < 0) return null
      if (left === 0) return []
      this.lists.push({ items: [], left })
      return OPENED
    }
    if (mark === PLUS) return this.take(after, textOf(u8, pos + 1, eol))
    if (mark === MINUS) return this.take(after, new ReplyError(textOf(u8, pos + 1, eol)))
    throw new Error('the server answers what is no Redis protocol')
  }

  private take(to: number, value: Value): Value {
    this.consumed += to - this.pos
    this.pos = to
    return value
  }

  private integer(from: number, to: number): number {
    const { u8 } = this
    let n = 0
    const negative = u8[from] === MINUS
    for (let i = negative ? from + 1 : from; i < to; i++) n = n * 10 + u8[i] - 48
    return negative ? -n : n
  }
}

const OPENED = Symbol('a list begins')
const [DOLLAR, COLON, STAR, PLUS, MINUS] = bytesOf('$:*+-')

function textOf(u8: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) text += String.fromCharCode(u8[i])
  return text
}

/** Bytes or simple text as latin1 text; '' for anything else. */
export function latin1(value: Value): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? textOf(value, 0, value.length) : ''
}
