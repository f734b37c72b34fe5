// Wire: one connection of the client of a server in a program: words out, replies in order.
//
//   request(words, settle) ─▶ bytes ─▶ Pipe          Pipe.onData ─▶ ReplyReader ─▶ shaped ─▶ settle, or pushed
//
// Always: every request is settled once: by its reply, or by the error that ended the connection. Who asks is queued
// before the bytes go out, since a server in this process replies within write().

import { Queue } from '../lib/queue.ts'
import type { Pipe } from '../net/server-socket.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { RedisError } from '../protocol/redis-error.ts'
import { Push, ReplyError, type Value } from '../protocol/value.ts'
import type { Word } from './arguments.ts'
import { type AnyReply, shaped, shapedReader } from './shaped.ts'

/** Called with an error, or else with the reply. */
export type Settle = (error: Error | undefined, reply: AnyReply) => void

const encoder = new TextEncoder()

export class Wire {
  /** A push message, or what MONITOR sends. */
  pushed: (items: AnyReply[]) => void = () => {}
  ended: (error: Error) => void = () => {}
  /** Why it is closed. */
  private failure: Error | undefined
  private readonly pipe: Pipe
  private readonly asBytes: boolean
  private readonly out = new CommandWriter()
  private readonly waiting = new Queue<Settle>()
  private readonly reader = shapedReader()

  constructor(pipe: Pipe, asBytes: boolean) {
    this.pipe = pipe
    this.asBytes = asBytes
    pipe.onData = bytes => this.received(bytes)
    pipe.onClose = () => this.end(new Error('the server closed the connection'))
  }

  private queue(words: readonly Word[], settle: Settle): void {
    this.out.count(words.length)
    for (const word of words) {
      if (typeof word === 'string') this.out.bytes(encoder.encode(word))
      else if (word instanceof Uint8Array) this.out.bytes(word)
      else if (typeof word === 'number' || typeof word === 'bigint') this.out.word(String(word))
      else throw new TypeError(`an argument is text, bytes or a number, not ${word === null ? 'null' : typeof word}`)
    }
    this.waiting.push(settle)
  }

  get isOpen(): boolean {
    return this.failure === undefined
  }

  request(words: readonly Word[], settle: Settle): void {
    if (this.failure !== undefined) return settle(this.failure, null)
    const before = this.out.len
    try {
      this.queue(words, settle)
    } catch (error) {
      this.out.len = before
      throw error
    }
    this.pipe.write(this.out.take())
  }

  end(error: Error): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.pipe.close()
    for (let settle = this.waiting.shift(); settle !== undefined; settle = this.waiting.shift()) settle(error, null)
    this.ended(error)
  }

  private received(bytes: Uint8Array): void {
    if (!this.isOpen) return
    try {
      this.reader.feed(bytes)
      for (let value = this.reader.next(); value !== undefined; value = this.reader.next()) this.take(value)
    } catch (error) {
      this.end(error as Error)
    }
  }

  private take(value: Value | Push): void {
    if (value instanceof Push) return this.pushed(value.items.map(item => shaped(item, this.asBytes)))
    const settle = this.waiting.shift()
    if (settle === undefined) this.pushed([shaped(value, this.asBytes)])
    else if (value instanceof ReplyError) settle(new RedisError(value.text), null)
    else settle(undefined, shaped(value, this.asBytes))
  }
}
