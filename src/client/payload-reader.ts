// PayloadReader: the framing of the RDB file that a primary sends in a full resynchronisation. The file is streamed.
//
//   HEAD   "\n" …  the primary is still saving        -ERR …\r\n  there will be no snapshot
//          $<bytes>\r\n ─▶ BODY: so many bytes
//          $EOF:<40 bytes>\r\n ─▶ BODY: until the same 40 bytes come
//     ─▶ END
//
// Always: the sink gets the file's bytes alone, in order. Of a file without a length the last 40 bytes are buffered
// until it is clear that they are not the EOF marker. A primary sends nothing after it before the first REPLCONF ACK.

import { LF } from '../lib/ascii.ts'
import { bytesOf, latin1Text } from '../lib/bytes.ts'

const EOF_MARKER_BYTES = 40
const LINE_BYTES_MAX = 1024

export interface PayloadSink {
  /** Begins a file of so many bytes, or (-1) of unknown length. */
  rdbBegins(bytes: number): void
  /** The callee owns the bytes. */
  rdb(bytes: Uint8Array): void
}

export class PayloadReader {
  state: 'head' | 'body' | 'end' = 'head'
  /** Why there is no snapshot. */
  error = ''
  private readonly sink: PayloadSink
  private line = ''
  /** Bytes to come; with an EOF marker: unknown. */
  private left = 0
  private eofMarker: Uint8Array | undefined
  private readonly tail = new Uint8Array(EOF_MARKER_BYTES)
  private tailBytes = 0

  constructor(sink: PayloadSink) {
    this.sink = sink
  }

  /** Consumes bytes; the offset after the payload, or `bytes.length` while more is to come. */
  take(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && this.state === 'head' && this.error === '') at = this.head(bytes, at)
    if (this.state !== 'body') return at
    return this.eofMarker === undefined
      ? this.counted(bytes, at)
      : this.takeUntilMarker(at === 0 ? bytes : bytes.subarray(at), at)
  }

  private head(bytes: Uint8Array, from: number): number {
    const lf = bytes.indexOf(LF, from)
    const end = lf < 0 ? bytes.length : lf
    if (this.line.length + end - from > LINE_BYTES_MAX) this.error = 'the server sends no dataset'
    else this.line += latin1Text(bytes, from, end)
    if (lf < 0 || this.error !== '') return end
    const line = this.line.replace(/\r$/, '')
    this.line = ''
    if (line !== '') this.begin(line)
    return lf + 1
  }

  private begin(line: string): void {
    const known = /^\$(\d{1,15})$/.exec(line)
    const [, mark] = /^\$EOF:(.*)$/s.exec(line) ?? []
    if (line.startsWith('-')) this.error = line.slice(1)
    else if (known === null && mark?.length !== EOF_MARKER_BYTES) this.error = `the server sends no dataset but ${line}`
    if (this.error !== '') return
    this.state = 'body'
    this.left = known === null ? 0 : Number(known[1])
    this.eofMarker = known === null ? bytesOf(mark) : undefined
    this.sink.rdbBegins(known === null ? -1 : this.left)
    if (known !== null && this.left === 0) this.state = 'end'
  }

  private counted(bytes: Uint8Array, at: number): number {
    const to = Math.min(bytes.length, at + this.left)
    this.left -= to - at
    if (to > at) this.sink.rdb(bytes.subarray(at, to))
    if (this.left === 0) this.state = 'end'
    return to
  }

  private takeUntilMarker(bytes: Uint8Array, before: number): number {
    const { tail, tailBytes, sink } = this
    const { length } = bytes
    const surplus = Math.max(0, tailBytes + length - EOF_MARKER_BYTES)
    const fromTail = Math.min(tailBytes, surplus)
    if (fromTail > 0) sink.rdb(tail.slice(0, fromTail))
    if (surplus > fromTail && this.state === 'body') sink.rdb(bytes.subarray(0, surplus - fromTail))
    tail.copyWithin(0, fromTail, tailBytes)
    tail.set(bytes.subarray(surplus - fromTail), tailBytes - fromTail)
    this.tailBytes = tailBytes + length - surplus
    if (this.tailBytes === EOF_MARKER_BYTES && tail.every((byte, i) => byte === this.eofMarker![i])) this.state = 'end'
    return before + length
  }
}
