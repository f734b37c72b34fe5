// XGROUP.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import { ENC_STREAM, TYPE_STREAM } from '../../keyspace/types.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { DOLLAR } from '../../lib/ascii.ts'
import type { Long } from '../../lib/long-field.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { errorText, replySubcommandError } from '../shared/arguments.ts'
import { UNKNOWN_READ } from './lag.ts'
import { createConsumer } from './read.ts'
import { idOrReply, isMark, openStream, rangeStartOrReply } from './shared.ts'

const NO_KEY = errorBytes(
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option ' +
    'to create an empty stream automatically.',
)
const BUSY_GROUP = errorBytes('BUSYGROUP Consumer Group name already exists')
const ENTRIES_READ = errorBytes('ERR value for ENTRIESREAD must be positive or -1')

const HELP = [
  'CREATE <key> <groupname> <id|$> [option]',
  '    Make a group that begins after <id>. Options:',
  '    * MKSTREAM',
  '      Make an empty stream if there is none.',
  '    * ENTRIESREAD entries_read',
  '      How many entries the group has read, as far as is known.',
  'CREATECONSUMER <key> <groupname> <consumer>',
  '    Make a consumer.',
  'DELCONSUMER <key> <groupname> <consumer>',
  '    Remove a consumer and what it has pending.',
  'DESTROY <key> <groupname>',
  '    Remove a group.',
  'SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]',
  '    Let the group go on after <id>.',
]

const group: Command = {
  name: 'xgroup',
  arity: -2,
  flags: '',
  since: '5.0.0',
  group: 'stream',
  summary: 'Consumer groups of a stream: make, move and remove them and their consumers.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'create',
      arity: -5,
      flags: 'write denyoom',
      keys: 'RW INSERT @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Make a consumer group that begins after an id.',
      complexity: 'O(1)',
      args: 'key#0 group id-selector:(id|new-id="$") [MKSTREAM] [ENTRIESREAD entries-read:integer]',
      history: [['7.0.0', 'New option for `entries_read`.']],
      run: create,
    },
    {
      name: 'createconsumer',
      arity: 5,
      flags: 'write denyoom',
      keys: 'RW INSERT @2',
      since: '6.2.0',
      group: 'stream',
      summary: 'Make a consumer of a group, unless it has one of that name.',
      complexity: 'O(1)',
      args: 'key#0 group consumer',
      run: addConsumer,
    },
    {
      name: 'delconsumer',
      arity: 5,
      flags: 'write',
      keys: 'RW DELETE @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Remove a consumer together with its pending entries.',
      complexity: 'O(1)',
      args: 'key#0 group consumer',
      run: removeConsumer,
    },
    {
      name: 'destroy',
      arity: 4,
      flags: 'write',
      keys: 'RW DELETE @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Remove a consumer group.',
      complexity: 'O(N), N = pending entries of the group.',
      args: 'key#0 group',
      run: destroy,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '5.0.0',
      group: 'stream',
      summary: 'Explain the subcommands of XGROUP.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'setid',
      arity: -5,
      flags: 'write',
      keys: 'RW UPDATE @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Set after which id a group goes on reading.',
      complexity: 'O(1)',
      args: 'key#0 group id-selector:(id|new-id="$") [ENTRIESREAD entriesread=entries-read:integer]',
      history: [['7.0.0', 'New option for `entries_read`.']],
      run: setId,
    },
  ],
}

/** CREATE's and SETID's options from args[5] on. */
class GroupOptions {
  makeStream = false
  entriesRead: Long = UNKNOWN_READ

  parseOrReply(ctx: Context, create: boolean): boolean {
    const opt = ctx.options(5)
    while (opt.more()) {
      if (create && opt.eat('mkstream')) this.makeStream = true
      else if (opt.eat('entriesread', 1)) {
        this.entriesRead = opt.exactLongOrReply()
        if (this.entriesRead < UNKNOWN_READ) opt.fail(ENTRIES_READ)
      } else {
        replySubcommandError(ctx)
        return false
      }
      if (opt.failed) return false
    }
    return true
  }
}

function create(ctx: Context): void {
  const { args, argc, db, reply } = ctx
  const { groups } = StreamType.of(ctx.keyspace)
  const options = new GroupOptions()
  if (!options.parseOrReply(ctx, true)) return
  let entry = ctx.writeOrReply(args[2], TYPE_STREAM)
  if (entry === WRONG) return
  if (entry === 0 && !options.makeStream) return reply.fixedError(NO_KEY)
  if (argc > 8) return replySubcommandError(ctx)
  const id = new StreamId()
  if (isMark(args[4], DOLLAR)) {
    if (entry !== 0) openStream(ctx, entry).lastId(id)
  } else if (!idOrReply(ctx, 4, id)) return
  if (entry === 0) {
    const { stream } = StreamType.of(ctx.keyspace)
    entry = db.add(args[2], TYPE_STREAM, ENC_STREAM, stream.create().value)
    ctx.signalModified(args[2])
  }
  const stream = openStream(ctx, entry)
  if (groups.find(stream.groups, args[3]) !== 0) return reply.fixedError(BUSY_GROUP)
  groups.create(stream.groupsToWrite(), args[3], id, options.entriesRead)
  ctx.keyspace.dirty++
  ctx.notify(args[2], 'xgroup-create', NOTIFY_STREAM)
  reply.ok()
}

/** The stream args[2] must exist, and, unless `mayMiss`, its group args[3]; undefined after an error reply. */
function streamOrReply(ctx: Context): Ref | undefined {
  const entry = ctx.writeOrReply(ctx.args[2], TYPE_STREAM)
  if (entry === WRONG) return undefined
  if (entry !== 0) return entry
  ctx.reply.fixedError(NO_KEY)
  return undefined
}

function groupToWriteOrReply(ctx: Context): Ref | undefined {
  const { args } = ctx
  const entry = streamOrReply(ctx)
  if (entry === undefined) return undefined
  const found = StreamType.of(ctx.keyspace).groups.find(openStream(ctx, entry).groups, args[3])
  if (found !== 0) return found
  ctx.reply.error(`NOGROUP No such consumer group '${errorText(args[3])}' for key name '${errorText(args[2])}'`)
  return undefined
}

function setId(ctx: Context): void {
  const { args, argc, reply } = ctx
  const { groups, stream } = StreamType.of(ctx.keyspace)
  const options = new GroupOptions()
  if (!options.parseOrReply(ctx, false)) return
  const found = groupToWriteOrReply(ctx)
  if (found === undefined) return
  if (argc !== 5 && argc !== 7) return replySubcommandError(ctx)
  const id = new StreamId()
  if (isMark(args[4], DOLLAR)) stream.lastId(id)
  else if (isMark(args[4], 0x2b) || isMark(args[4], 0x2d)) rangeStartOrReply(ctx, 4, id)
  else if (!idOrReply(ctx, 4, id)) return
  groups.setLastId(found, id)
  groups.setEntriesRead(found, options.entriesRead)
  ctx.keyspace.dirty++
  ctx.notify(args[2], 'xgroup-setid', NOTIFY_STREAM)
  reply.ok()
}

function destroy(ctx: Context): void {
  const { args, reply } = ctx
  const { groups } = StreamType.of(ctx.keyspace)
  const entry = streamOrReply(ctx)
  if (entry === undefined) return
  const tree = openStream(ctx, entry).groups
  const found = groups.find(tree, args[3])
  if (found === 0) return reply.integer(0)
  groups.remove(tree, found)
  ctx.keyspace.dirty++
  ctx.notify(args[2], 'xgroup-destroy', NOTIFY_STREAM)
  // Clients blocked in XREADGROUP of this group must be unblocked with NOGROUP.
  ctx.keyReady(args[2], TYPE_STREAM)
  reply.integer(1)
}

function addConsumer(ctx: Context): void {
  const { args, reply } = ctx
  const found = groupToWriteOrReply(ctx)
  if (found === undefined) return
  if (StreamType.of(ctx.keyspace).groups.findConsumer(found, args[4]) !== 0) return reply.integer(0)
  createConsumer(ctx, args[2], found, args[4])
  reply.integer(1)
}

function removeConsumer(ctx: Context): void {
  const { args, reply } = ctx
  const { groups, index } = StreamType.of(ctx.keyspace)
  const found = groupToWriteOrReply(ctx)
  if (found === undefined) return
  const consumer = groups.findConsumer(found, args[4])
  if (consumer === 0) return reply.integer(0)
  const pending = index.trees.count(groups.consumerPending(consumer))
  groups.removeConsumer(found, consumer)
  ctx.keyspace.dirty++
  ctx.notify(args[2], 'xgroup-delconsumer', NOTIFY_STREAM)
  reply.integer(pending)
}

export const groupCommands: readonly Command[] = [group]
