// HRANDFIELD.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import type { Hash } from '../../keyspace/values/hash/hash.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import { randomCountOrReply } from '../shared/arguments.ts'
import { replyElement } from '../shared/element-reply.ts'
import { openHash } from './shared.ts'

const hRandField: Command = {
  name: 'hrandfield',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'hash',
  summary: 'Return fields picked at random, with their values if wished.',
  complexity: 'O(N), N = fields returned.',
  args: 'key#0 [options:(count:integer [WITHVALUES])]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    let count = 1
    if (argc > 2) {
      count = randomCountOrReply(ctx, 'withvalues')
      if (Number.isNaN(count)) return
    }
    const entry = ctx.readOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    if (entry === 0) return argc === 2 ? reply.null() : reply.emptyArray()
    const hash = openHash(ctx, entry)
    if (argc > 2) return replySome(ctx, hash, count, argc === 4)
    const { field, text } = HashType.of(ctx.keyspace)
    hash.sample(field, text)
    replyElement(reply, field)
  },
}

/** `count` different fields, or, when negative, as many with repetitions. */
function replySome(ctx: Context, hash: Hash, count: number, withValues: boolean): void {
  const { reply } = ctx
  const { field, text } = HashType.of(ctx.keyspace)
  const n = count < 0 ? -count : Math.min(count, hash.length)
  reply.array(withValues && reply.resp === 2 ? n * 2 : n)
  if (count < 0) {
    for (let left = n; left > 0 && !reply.isCutOff; left--) {
      hash.sample(field, text)
      replyPair(ctx, withValues)
    }
  } else if (n === hash.length) {
    hash.rewind()
    while (hash.next(field, text)) replyPair(ctx, withValues)
  } else if (n > 0) hash.sampleDistinct(n, field, text, () => replyPair(ctx, withValues))
}

function replyPair(ctx: Context, withValues: boolean): void {
  const { reply } = ctx
  const { field, text } = HashType.of(ctx.keyspace)
  if (withValues && reply.resp > 2) reply.array(2)
  replyElement(reply, field)
  if (withValues) replyElement(reply, text)
}

export const samplingCommands: readonly Command[] = [hRandField]
