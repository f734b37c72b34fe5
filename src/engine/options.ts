// Options: a cursor over the optional words of a command, so that a handler's loop reads like the syntax line:
//
//   const opt = ctx.options(3)
//   while (opt.more()) {
//     if (opt.eat('nx')) flags |= NX
//     else if (opt.eat('ex', 1)) seconds = opt.integerOrReply()
//     else return opt.syntaxError()
//     if (opt.failed) return
//   }
//
// Always: once `failed`, an error reply was written and nothing more may be.

import { equalsNoCase } from '../lib/bytes.ts'
import type { Long } from '../lib/long-field.ts'
import type { Slice } from '../lib/slice.ts'
import { NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.ts'
import type { Context } from './context.ts'

export class Options {
  /** Index of the next word. */
  at = 0
  failed = false
  private readonly ctx: Context

  constructor(ctx: Context) {
    this.ctx = ctx
  }

  begin(from: number): this {
    this.at = from
    this.failed = false
    return this
  }

  more(): boolean {
    return this.at < this.ctx.argc
  }

  /** Words left. */
  get left(): number {
    return this.ctx.argc - this.at
  }

  /** Consumes the next word if it is `word` (lower case, any case matches) and at least `operands` words follow it. */
  eat(word: string, operands = 0): boolean {
    const { args, argc } = this.ctx
    if (this.at + operands >= argc || !equalsNoCase(args[this.at], word)) return false
    this.at++
    return true
  }

  /** Consumes the next word. */
  next(): Slice {
    return this.ctx.args[this.at++]
  }

  integerOrReply(error: Uint8Array = NOT_AN_INTEGER): number {
    return this.checkFailed(this.ctx.integerOrReply(this.at++, error))
  }

  longOrReply(error: Uint8Array = NOT_AN_INTEGER): number {
    return this.checkFailed(this.ctx.longOrReply(this.at++, error))
  }

  exactLongOrReply(error: Uint8Array = NOT_AN_INTEGER): Long {
    const n = this.ctx.exactLongOrReply(this.at++, error)
    if (Number.isNaN(n)) this.failed = true
    return n
  }

  doubleOrReply(error?: Uint8Array): number {
    return this.checkFailed(this.ctx.doubleOrReply(this.at++, error))
  }

  syntaxError(): void {
    this.failed = true
    this.ctx.reply.fixedError(SYNTAX)
  }

  fail(error: Uint8Array): void {
    this.failed = true
    this.ctx.reply.fixedError(error)
  }

  private checkFailed(n: number): number {
    if (Number.isNaN(n)) this.failed = true
    return n
  }
}
