// DEL, UNLINK.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'

const del: Command = {
  name: 'del',
  arity: -2,
  flags: 'write',
  keys: 'RM DELETE @1..-1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Remove keys with their values.',
  complexity: 'O(N), N = keys removed; O(M) for a key with M elements, O(1) for a string.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard response_policy:agg_sum',
  run: remove,
}

const unlink: Command = {
  name: 'unlink',
  arity: -2,
  flags: 'write fast',
  keys: 'RM DELETE @1..-1',
  since: '4.0.0',
  group: 'generic',
  summary: 'Remove keys at once, and free their memory afterwards.',
  complexity: 'O(1) for each key; then O(N) in the background, N = allocations of the values.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard response_policy:agg_sum',
  run: remove,
}

/** Large values are freed in slices in both, so that they cost the same. */
function remove(ctx: Context): void {
  let count = 0
  for (let i = 1; i < ctx.argc; i++) {
    if (!ctx.db.delete(ctx.args[i])) continue
    ctx.touched(ctx.args[i], 'del', NOTIFY_GENERIC)
    count++
  }
  ctx.reply.integer(count)
}

export const removingCommands: readonly Command[] = [del, unlink]
