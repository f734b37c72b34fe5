// INFO, TIME.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_SCRIPT } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'

export const infoCommands: readonly Command[] = [
  {
    name: 'info',
    arity: -1,
    flags: 'loading stale sentinel',
    since: '1.0.0',
    group: 'server',
    summary: 'Report facts and counters of the server, in sections.',
    complexity: 'O(1)',
    args: '[section...]',
    history: [['7.0.0', 'More than one `section` may be given.']],
    tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
    acl: 'dangerous',
    run: info,
  },
  {
    name: 'time',
    arity: 1,
    flags: 'loading stale fast',
    since: '2.6.0',
    group: 'server',
    summary: 'Return the clock of the server, in seconds since 1970 and microseconds.',
    complexity: 'O(1)',
    tips: 'nondeterministic_output',
    run: time,
  },
]

/** Longer than the name of any section. */
const SECTION_BYTES_MAX = 64

/** INFO [section ...] */
function info(ctx: Context): void {
  const sections = ctx.args.slice(1, ctx.argc).map(arg => arg.latin1Prefix(SECTION_BYTES_MAX))
  ctx.reply.verbatim('txt', ctx.server.host.infoText(sections))
}

function time(ctx: Context): void {
  // Time is frozen in a script that is not slow.
  const us = ctx.client.has(CLIENT_SCRIPT) ? ctx.server.scripting.nowUs : ctx.server.host.nowUs()
  ctx.reply.array(2)
  ctx.reply.bulkInteger(Math.floor(us / 1e6))
  ctx.reply.bulkInteger(us % 1e6)
}
