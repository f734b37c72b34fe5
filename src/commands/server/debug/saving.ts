// DEBUG subcommands of persistence: RELOAD, LOADAOF, and switches for tests.

import type { Context } from '../../../engine/context.ts'
import { errorBytes, type Reply } from '../../../protocol/reply.ts'

const BAD_OPTION = errorBytes('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.')

/** DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE] */
export function reload(ctx: Context): void {
  const options = { save: true, flush: true, merge: false, inTurns: ctx.canBlock }
  for (let i = 2; i < ctx.argc; i++) {
    if (ctx.is(i, 'merge')) options.merge = true
    else if (ctx.is(i, 'noflush')) options.flush = false
    else if (ctx.is(i, 'nosave')) options.save = false
    else return ctx.reply.fixedError(BAD_OPTION)
  }
  answerWhenDone(ctx, ctx.server.saving.reload(options))
}

export function loadAof(ctx: Context): void {
  answerWhenDone(ctx, ctx.server.saving.loadAof(ctx.canBlock))
}

function answerWhenDone(ctx: Context, outcome: Promise<string | undefined> | string | undefined): void {
  if (!(outcome instanceof Promise)) return answer(ctx.reply, outcome)
  const pending = ctx.waitForAnswer()
  outcome.then(error => pending.write(reply => answer(reply, error)))
}

function answer(reply: Reply, error: string | undefined): void {
  if (error === undefined) reply.ok()
  else reply.error(error)
}

/** DEBUG SET-SKIP-CHECKSUM-VALIDATION 0|1 */
export function setSkipChecksum(ctx: Context): void {
  ctx.server.payloads.skipChecks = Number.parseInt(ctx.args[2].latin1(), 10) > 0
  ctx.reply.ok()
}

/** DEBUG AOF-FLUSH-SLEEP <microseconds> */
export function setFlushSleep(ctx: Context): void {
  const us = Number.parseInt(ctx.args[2].latin1(), 10) || 0
  ctx.server.saving.flushSleepUs = Math.min(Math.max(us, 0), 2 ** 31 - 1)
  ctx.reply.ok()
}
