// Keys that are removed: DEL, UNLINK.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/events.ts'

const del: Command = {
  name: 'del',
  arity: -2,
  flags: 'write',
  keys: 'RM DELETE @1..-1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Deletes one or more keys.',
  complexity:
    'O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a ' +
    'string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, ' +
    'sorted set or hash. Removing a single key that holds a string value is O(1).',
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
  summary: 'Asynchronously deletes one or more keys.',
  complexity:
    'O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in ' +
    'order to reclaim memory, where N is the number of allocations the deleted objects where composed of.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard response_policy:agg_sum',
  run: remove,
}

/** Large values are freed in slices either way, so that both commands cost the same. */
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
