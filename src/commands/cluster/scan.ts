// CLUSTERSCAN: goes through the keys of all nodes, one slot after the other, with cursors that name where to ask.
//
//   cursor   fingerprint-{tag}-position      tag: hashes to the slot, so that clients and the gate find its node
//            0-{tag}-0                       the slot from its beginning, whichever node has it
//            0                               the first call; and in a reply: all slots are done
//
// Always: a key that is there all the while is found. A position means something only in the process that gave it: with
// another fingerprint (the slot has moved, a replica took over, the node restarted) the slot begins again. A slot whose
// keys are at two nodes is refused by the gate, until they are not.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { BACKSLASH, STAR } from '../../lib/ascii.ts'
import { CLUSTER_SLOT_COUNT, keySlot } from '../../lib/crc16.ts'
import { parseInt64 } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import { digitsEnd } from '../../lib/strtod.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { KeyScan } from '../shared/key-scan.ts'
import { isClusterOrReply } from './cluster.ts'

const INVALID_CURSOR = errorBytes('ERR Invalid cursor')
const BAD_SLOT = errorBytes('ERR Invalid or out of range slot')
const TWO_SLOTS = errorBytes('ERR SLOT option can only be specified once')
const OTHER_SLOT = errorBytes('ERR Cursor slot mismatch')
const UNKNOWN_TYPE = errorBytes('ERR unknown type name')

const START = '0'
const ANY_SLOT = -1
const POSITION_MAX = 2 ** 32 - 1
const CURSOR_LENGTH_MAX = 64

const QUESTION = 0x3f
const BRACKET = 0x5b
const OPEN_TAG = 0x7b
const CLOSE_TAG = 0x7d

export const clusterScan: Command = {
  name: 'clusterscan',
  arity: -2,
  flags: 'readonly touches_arbitrary_keys',
  keys: 'NOT_KEY @1',
  since: '9.1.0',
  group: 'cluster',
  summary: 'Go through the keys of all nodes in steps, with a cursor that says where the next step is.',
  complexity: 'O(N), N = keys visited in one call.',
  args: 'cursor [MATCH pattern:pattern] [COUNT count:integer] [TYPE type] [SLOT slot:integer]',
  acl: 'keyspace',
  tips: 'nondeterministic_output request_policy:special response_policy:special',
  run: runScan,
}

function runScan(ctx: Context): void {
  if (!isClusterOrReply(ctx)) return
  const keys = new KeyScan(ctx)
  const only = readOptions(ctx, keys)
  if (Number.isNaN(only)) return
  // Slots from `first` to below `end` are wanted.
  let [first, end] = only === ANY_SLOT ? [0, CLUSTER_SLOT_COUNT] : [only, only + 1]
  const matching = keys.pattern === undefined ? ANY_SLOT : slotOfPattern(keys.pattern)
  if (matching !== ANY_SLOT) [first, end] = [Math.max(first, matching), Math.min(end, matching + 1)]
  const isFirst = ctx.is(1, START)
  const position = isFirst ? 0 : positionOrReply(ctx)
  if (Number.isNaN(position)) return
  const slot = isFirst ? -1 : keySlot(ctx.args[1])
  if (!isFirst && only !== ANY_SLOT && slot !== only) return ctx.reply.fixedError(OTHER_SLOT)
  let next = START
  if (slot < first && first < end) next = cursorAt(ctx, START, first, 0)
  else if (slot >= first && slot < end) next = walkSlots(ctx, keys, slot, position, end)
  ctx.reply.array(2)
  ctx.reply.bulkText(next)
  keys.replyFound()
}

/** The slot that SLOT names, or ANY_SLOT; NaN after an error reply. */
function readOptions(ctx: Context, keys: KeyScan): number {
  let only = ANY_SLOT
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('slot', 1)) {
      if (only !== ANY_SLOT) opt.fail(TWO_SLOTS)
      only = parseInt64(opt.next())
      if (!opt.failed && !(only >= 0 && only < CLUSTER_SLOT_COUNT)) opt.fail(BAD_SLOT)
    } else if (!keys.eat(opt)) opt.syntaxError()
    else if (!opt.failed && keys.type !== undefined && !ctx.keyspace.types.mayBeNamed(keys.type)) opt.fail(UNKNOWN_TYPE)
    if (opt.failed) return Number.NaN
  }
  return only
}

/** Where in its slot the cursor is, 0 if another process has given it; NaN after an error reply. */
function positionOrReply({ args, reply, server }: Context): number {
  const text = args[1].latin1Prefix(CURSOR_LENGTH_MAX + 1)
  const open = text.indexOf('{')
  const close = text.indexOf('}', open)
  const digits = close + 2
  const isCursor = open > 1 && text[open - 1] === '-' && close > open + 1 && text[close + 1] === '-'
  if (isCursor && digits < text.length && digitsEnd(text, digits) === text.length) {
    const isOurs = text.slice(0, open - 1) === server.cluster!.scan.fingerprint
    const position = isOurs ? Number(text.slice(digits)) : 0
    if (position <= POSITION_MAX && text.length <= CURSOR_LENGTH_MAX) return position
  }
  reply.fixedError(INVALID_CURSOR)
  return Number.NaN
}

/** The slot of all keys that match, where what decides on it is spelt out; else ANY_SLOT. */
function slotOfPattern(pattern: Slice): number {
  let open = -1
  for (let i = 0; i < pattern.len; i++) {
    const c = pattern.byte(i)
    if (c === STAR || c === QUESTION || c === BRACKET || c === BACKSLASH) return ANY_SLOT
    if (c === OPEN_TAG && open < 0) open = i
    else if (c === CLOSE_TAG && open >= 0) {
      if (i > open + 1) break
      open = pattern.len // an empty tag is none, and no later one counts
    }
  }
  return keySlot(pattern)
}

/** Walks from a position of a slot through this node's, up to `end`; the next cursor. */
function walkSlots(ctx: Context, keys: KeyScan, from: number, position: number, end: number): string {
  const { scan } = ctx.server.cluster!
  const { mainTable } = ctx.db
  const tables = ctx.keyspace.slotTables!
  let slot = from
  let at = position
  for (;;) {
    at = keys.walk(at, (cursor, visit) => tables.scanSlot(mainTable, slot, cursor, visit))
    if (at !== 0) return cursorAt(ctx, scan.fingerprint, slot, at)
    do slot++
    while (slot < end && scan.isWhole(slot) && !tables.hasKeys(mainTable, slot))
    if (slot >= end) return START
    if (!scan.isWhole(slot)) return cursorAt(ctx, START, slot, 0)
    if (keys.isDone) return cursorAt(ctx, scan.fingerprint, slot, 0)
  }
}

function cursorAt(ctx: Context, fingerprint: string, slot: number, position: number): string {
  return `${fingerprint}-{${ctx.server.cluster!.scan.tagOf(slot)}}-${position}`
}
