// ZSCAN.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { ENC_LISTPACK, TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import { formatG17 } from '../../lib/double.ts'
import { Slice } from '../../lib/slice.ts'
import { replyTable, replyWhole, ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { cursorOf, openSet } from './shared.ts'

const scan: Command = {
  name: 'zscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'sorted-set',
  summary: 'Go through a sorted set in steps, with a cursor.',
  complexity: 'O(1) for one call, O(N) from cursor 0 back to 0, N = members of the sorted set.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_ZSET, options)
    if (entry === 0) return
    const z = openSet(ctx, entry)
    if (z.encoding === ENC_LISTPACK) scanListpack(ctx, z, options)
    else scanTable(ctx, z, options)
  },
}

function scanListpack(ctx: Context, z: ZSet, options: ScanOptions): void {
  const { reply } = ctx
  const c = cursorOf(ctx)
  replyWhole(reply, () => {
    let words = 0
    for (let more = z.seekRank(0, c); more; more = z.next(c)) {
      if (!options.matches(c.member)) continue
      reply.bulk(c.member)
      replyScoreText(ctx, c.score)
      words += 2
    }
    return words
  })
}

function scanTable(ctx: Context, z: ZSet, options: ScanOptions): void {
  const { reply } = ctx
  const step = (cursor: number, found: Scored[]) =>
    z.scan(cursor, (member, score) => {
      if (options.accepts(member)) found.push({ member: new Slice().alias(member), score })
    })
  replyTable(reply, options, 2, step, ({ member, score }) => {
    reply.bulk(member)
    reply.bulkText(formatG17(score)) // Redis's format here, and only here
  })
}

interface Scored {
  member: Slice
  score: number
}

/** A score as a bulk string in either protocol. */
function replyScoreText(ctx: Context, score: number): void {
  const { reply } = ctx
  const resp = reply.resp
  reply.resp = 2
  reply.double(score)
  reply.resp = resp
}

export const scanningCommands: readonly Command[] = [scan]
