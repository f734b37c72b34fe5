// SSCAN.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { ENC_HASHTABLE, TYPE_SET } from '../../keyspace/types.ts'
import type { MemberSet } from '../../keyspace/values/set/set.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyTable, replyWhole, ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { elementOf, openSet } from './shared.ts'

const sScan: Command = {
  name: 'sscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'set',
  summary: 'Go through a set in steps, with a cursor.',
  complexity: 'O(1) for one call, O(N) from cursor 0 back to 0, N = members of the set.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_SET, options)
    if (entry === 0) return
    const set = openSet(ctx, entry)
    if (set.encoding === ENC_HASHTABLE) scanTable(ctx, set, options)
    else scanWhole(ctx, set, options)
  },
}

function scanWhole(ctx: Context, set: MemberSet, options: ScanOptions): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  replyWhole(reply, () => {
    let found = 0
    set.rewind()
    while (set.next(e)) {
      if (!options.matches(e.text())) continue
      reply.bulk(e.bytes)
      found++
    }
    return found
  })
}

function scanTable(ctx: Context, set: MemberSet, options: ScanOptions): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  const step = (cursor: number, found: Ref[]) =>
    set.scan(cursor, entry => {
      set.readEntry(entry, e)
      if (options.accepts(e.bytes)) found.push(entry)
    })
  replyTable(reply, options, 1, step, entry => {
    set.readEntry(entry, e)
    reply.bulk(e.bytes)
  })
}

export const scanningCommands: readonly Command[] = [sScan]
