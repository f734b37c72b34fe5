// HSCAN.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { ENC_HASHTABLE, TYPE_HASH } from '../../keyspace/types.ts'
import type { Hash } from '../../keyspace/values/hash/hash.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyElement } from '../shared/element-reply.ts'
import { replyTable, replyWhole, ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { openHash } from './shared.ts'

const hScan: Command = {
  name: 'hscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'hash',
  summary: 'Go through a hash in steps, with a cursor.',
  complexity: 'O(1) for one call, O(N) from cursor 0 back to 0, N = fields of the hash.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_HASH, options)
    if (entry === 0) return
    const hash = openHash(ctx, entry)
    if (hash.encoding === ENC_HASHTABLE) scanTable(ctx, hash, options)
    else scanListpack(ctx, hash, options)
  },
}

function scanListpack(ctx: Context, hash: Hash, options: ScanOptions): void {
  const { reply } = ctx
  const { field, text } = HashType.of(ctx.keyspace)
  replyWhole(reply, () => {
    let words = 0
    hash.rewind()
    while (hash.next(field, text)) {
      if (!options.matches(field.text())) continue
      reply.bulk(field.bytes)
      replyElement(reply, text)
      words += 2
    }
    return words
  })
}

function scanTable(ctx: Context, hash: Hash, options: ScanOptions): void {
  const { reply } = ctx
  const { field, text } = HashType.of(ctx.keyspace)
  const step = (cursor: number, found: Ref[]) =>
    hash.scan(cursor, entry => {
      hash.readEntry(entry, field, text)
      if (options.accepts(field.bytes)) found.push(entry)
    })
  replyTable(reply, options, 2, step, entry => {
    hash.readEntry(entry, field, text)
    reply.bulk(field.bytes)
    reply.bulk(text.bytes)
  })
}

export const scanningCommands: readonly Command[] = [hScan]
