// RESP2 and RESP3 for tests: encodes commands and parses replies. Deliberately independent of the server's protocol
// code, so that its mistakes are not repeated here.
//
// Always: text is latin1, one char per byte, so any byte string is preserved. `replyEnd` and `parseReply` agree on
// where a reply ends.

export class RespError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** A RESP3 map, set, push, double, big number or verbatim string, before plain() converts it. */
export class RespTyped {
  readonly type: 'map' | 'set' | 'push' | 'double' | 'bignumber' | 'verbatim'
  readonly value: string | RespValue[]
  constructor(type: RespTyped['type'], value: string | RespValue[]) {
    this.type = type
    this.value = value
  }
}

export type RespValue = string | number | bigint | boolean | null | RespError | RespTyped | RespValue[]

/** RESP2's types, to which plain() converts RESP3's. */
export type PlainValue = string | number | bigint | null | RespError | PlainValue[]

export type Word = string | number | bigint | Uint8Array

const CR = 13
const INTEGER_SAFE = 15

/** One command as an array of bulk strings. */
export function encodeCommand(words: readonly Word[]): Uint8Array {
  const parts: Uint8Array[] = [latin1Bytes(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = word instanceof Uint8Array ? word : textBytes(String(word))
    parts.push(latin1Bytes(`$${bytes.length}\r\n`), bytes, latin1Bytes('\r\n'))
  }
  return Buffer.concat(parts)
}

/** Latin1, or UTF-8 if the text has chars above 255. */
function textBytes(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return Buffer.from(text, 'utf8')
  return latin1Bytes(text)
}

export function latin1Bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

export function latin1Text(u8: Uint8Array, from = 0, to: number = u8.length): string {
  return Buffer.from(u8.buffer, u8.byteOffset + from, to - from).toString('latin1')
}

/** The offset after the CRLF of the line at `from`, or -1 when it is incomplete. */
function lineEnd(u8: Uint8Array, from: number, to: number): number {
  for (let i = from; i + 1 < to; i++) if (u8[i] === CR) return i + 2
  return -1
}

function lineNumber(u8: Uint8Array, from: number): number {
  let at = from
  const negative = u8[at] === 0x2d
  if (negative) at++
  let n = 0
  for (; u8[at] !== CR; at++) n = n * 10 + u8[at] - 0x30
  return negative ? -n : n
}

/** The offset after the reply at `from`, or -1 when it is incomplete. */
export function replyEnd(u8: Uint8Array, from: number, to: number): number {
  let wanted = 1
  let at = from
  while (wanted > 0) {
    const type = u8[at]
    const end = at < to ? lineEnd(u8, at + 1, to) : -1
    if (end < 0) return -1
    wanted--
    switch (type) {
      case 0x24: // $
      case 0x3d: // =
      case 0x21: {
        // !
        const length = lineNumber(u8, at + 1)
        at = length < 0 ? end : end + length + 2
        if (at > to) return -1
        continue
      }
      case 0x2a: // *
      case 0x7e: // ~
      case 0x3e: // >
        wanted += Math.max(0, lineNumber(u8, at + 1))
        break
      case 0x25: // %
        wanted += 2 * lineNumber(u8, at + 1)
        break
      case 0x7c: // | an attribute comes in front of a value
        wanted += 2 * lineNumber(u8, at + 1) + 1
        break
    }
    at = end
  }
  return at
}

/** The value of the complete reply at `from`. */
export function parseReply(u8: Uint8Array, from: number): RespValue {
  return new Parser(u8, from).value()
}

class Parser {
  private readonly u8: Uint8Array
  private at: number

  constructor(u8: Uint8Array, at: number) {
    this.u8 = u8
    this.at = at
  }

  value(): RespValue {
    const type = String.fromCharCode(this.u8[this.at++])
    const line = this.line()
    switch (type) {
      case '+':
        return line
      case '-':
        return new RespError(line)
      case ':':
        return line.length <= INTEGER_SAFE ? Number(line) : integer(BigInt(line))
      case '$':
        return line === '-1' ? null : this.bytes(Number(line))
      case '*':
        return line === '-1' ? null : this.values(Number(line))
      case '_':
        return null
      case '#':
        return line === 't'
      case ',':
        return new RespTyped('double', line)
      case '(':
        return new RespTyped('bignumber', line)
      case '!':
        return new RespError(this.bytes(Number(line)))
      case '=':
        return new RespTyped('verbatim', this.bytes(Number(line)).slice(4))
      case '~':
        return new RespTyped('set', this.values(Number(line)))
      case '%':
        return new RespTyped('map', this.values(2 * Number(line)))
      case '>':
        return new RespTyped('push', this.values(Number(line)))
      case '|':
        this.values(2 * Number(line))
        return this.value()
    }
    throw new Error(`not a reply: ${JSON.stringify(type + line)}`)
  }

  private line(): string {
    const end = lineEnd(this.u8, this.at, this.u8.length)
    const text = latin1Text(this.u8, this.at, end - 2)
    this.at = end
    return text
  }

  private bytes(length: number): string {
    const text = latin1Text(this.u8, this.at, this.at + length)
    this.at += length + 2
    return text
  }

  private values(count: number): RespValue[] {
    const values: RespValue[] = []
    for (let i = 0; i < count; i++) values.push(this.value())
    return values
  }
}

function integer(n: bigint): number | bigint {
  return Number.isSafeInteger(Number(n)) ? Number(n) : n
}

/** Converts RESP3's types to RESP2's: maps and sets to flat arrays, doubles to text, booleans to 1 and 0. */
export function plain(value: RespValue): PlainValue {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof RespTyped) return typeof value.value === 'string' ? value.value : value.value.map(plain)
  if (typeof value === 'boolean') return value ? 1 : 0
  return value
}

/** The message of an error; any other reply as it is. */
export function textOf(reply: PlainValue): PlainValue {
  return reply instanceof RespError ? reply.message : reply
}

/** Takes the complete replies off the front of the bytes received. */
export function takeReplies(received: number[]): PlainValue[] {
  const u8 = Uint8Array.from(received)
  const values: PlainValue[] = []
  let at = 0
  while (at < u8.length) {
    const end = replyEnd(u8, at, u8.length)
    if (end < 0) break
    values.push(plain(parseReply(u8, at)))
    at = end
  }
  received.splice(0, at)
  return values
}

/** Buffers bytes and returns complete replies. */
export class ReplyReader {
  private buffer: Uint8Array = new Uint8Array(0)
  private used = 0

  push(bytes: Uint8Array): void {
    const rest = this.buffer.subarray(this.used)
    this.buffer = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    this.used = 0
  }

  /** The bytes of the next complete reply, or undefined. */
  next(): Uint8Array | undefined {
    const end = replyEnd(this.buffer, this.used, this.buffer.length)
    if (end < 0) return undefined
    const reply = this.buffer.subarray(this.used, end)
    this.used = end
    return reply
  }

  /** The bytes of a reply that is not complete. */
  get rest(): Uint8Array {
    return this.buffer.subarray(this.used)
  }
}
