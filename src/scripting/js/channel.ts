// The channel between the server and the thread of JavaScript functions: shared memory that one of them owns at a time.
//
//   0        4          8        12        16
//   | turn   | length   | more   | ready   | a piece of the message: bytes ...     turn: 0 the server, 1 the thread
//
// Always: who has the turn writes, and hands it over; of a message of several pieces each but the last is handed back.
// The thread's side of it is in thread-main.ts, which must not import.

import { writeLatin1 } from '../../lib/bytes.ts'
import { stringOf } from '../convert-bytes.ts'

const TURN = 0
const LENGTH = 1
const MORE = 2
const READY = 3
const HEAD_BYTES = 16
const SHARED_BYTES = 256 * 1024
const THREAD = 1
/** A thread takes pieces at once, unless it is gone. */
const PIECE_MS_MAX = 10_000

export class ThreadChannel {
  readonly shared = new SharedArrayBuffer(SHARED_BYTES)
  private readonly head = new Int32Array(this.shared, 0, HEAD_BYTES / 4)
  private readonly bytes = new Uint8Array(this.shared, HEAD_BYTES)
  /** Pieces of a message that has not come whole. */
  private pieces = ''

  /** Sends a message, one char a byte. False: the thread does not take it. */
  send(text: string): boolean {
    const { bytes, head } = this
    for (let from = 0; ; from += bytes.length) {
      const piece = text.slice(from, from + bytes.length)
      writeLatin1(bytes, 0, piece)
      head[LENGTH] = piece.length
      head[MORE] = from + bytes.length < text.length ? 1 : 0
      const isLast = head[MORE] === 0
      this.handOver()
      if (isLast) return true
      while (Atomics.load(head, TURN) === THREAD)
        if (Atomics.wait(head, TURN, THREAD, PIECE_MS_MAX) === 'timed-out') return false
    }
  }

  /** The thread's message; undefined: it has not come within `ms`. */
  receive(ms: number): string | undefined {
    const { bytes, head } = this
    for (;;) {
      Atomics.wait(head, TURN, THREAD, ms)
      // A late notification of the turn before may have ended the wait.
      if (Atomics.load(head, TURN) === THREAD) return undefined
      // Not all methods take shared memory.
      const text = this.pieces + stringOf(bytes.slice(0, head[LENGTH]), 0, head[LENGTH])
      this.pieces = ''
      if (head[MORE] === 0) return text
      this.pieces = text
      this.handOver()
    }
  }

  private handOver(): void {
    Atomics.store(this.head, TURN, THREAD)
    Atomics.notify(this.head, TURN)
  }

  /** The thread has started. */
  get isReady(): boolean {
    return Atomics.load(this.head, READY) === 1
  }
}
