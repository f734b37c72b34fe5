// A type that is not built in: saved, loaded, rewritten, digested, dumped, copied, moved, measured and freed as the
// others, and no file of the server names it.
//
//   tally   a chain of nodes in the arena: [ next ref u32 | - | count f64 ]

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Bytes, RespError } from '../../test/harness/resp.ts'
import { valueTypeSuite } from '../../test/harness/value-type-suite.ts'
import type { Command } from '../engine/catalog/command.ts'
import { WRONG } from '../engine/context.ts'
import { NOTIFY_GENERIC } from '../engine/messaging/events.ts'
import type { Digest } from '../keyspace/digest.ts'
import type { Entries } from '../keyspace/entries.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { ValueType } from '../keyspace/value-type.ts'
import type { RelocationCursor } from '../keyspace/values/shared/relocation.ts'
import { bytesOf } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import type { RdbInput } from '../persistence/rdb/input.ts'
import type { RdbOutput } from '../persistence/rdb/output.ts'
import { builtInCodecs } from '../persistence/values/index.ts'
import { ITEMS_MAX, type RewriteOutput } from '../persistence/values/rewrite-output.ts'
import type { ReadSource, ValueCodec, ValueReader, ValueWriter } from '../persistence/values/value-codec.ts'
import { virtualSystem } from '../system/virtual.ts'
import type { ServerExtension } from './extension.ts'

const TYPE_TALLY = 9
const RDB_TALLY = 200
const ENC_CHAIN = 0
const NODE_BYTES = 16
const NODES_AT_ONCE = 5

class TallyType implements ValueType {
  readonly id = TYPE_TALLY
  readonly name = 'tally'
  readonly encodingNames = ['chain']
  readonly announcesRemoval = false
  private readonly arena: Arena

  constructor(space: Keyspace) {
    this.arena = space.arena
  }

  /** A chain with one more node in front. */
  push(chain: Ref, count: number): Ref {
    const node = this.arena.alloc(NODE_BYTES)
    const dv = this.arena.dv(node)
    dv.setUint32(this.arena.at(node), chain, true)
    dv.setFloat64(this.arena.at(node) + 8, count, true)
    return node
  }

  next(node: Ref): Ref {
    return this.arena.dv(node).getUint32(this.arena.at(node), true)
  }

  /** The counts, first added first. */
  counts(chain: Ref): number[] {
    const counts: number[] = []
    for (let node = chain; node !== 0; node = this.next(node))
      counts.unshift(this.arena.dv(node).getFloat64(this.arena.at(node) + 8, true))
    return counts
  }

  make(counts: readonly number[]): Ref {
    return counts.reduce((chain, count) => this.push(chain, count), 0)
  }

  freeEffort(_encoding: number, value: Ref): number {
    return this.counts(value).length
  }

  /** The nodes behind the first go before it does. */
  freeStep(_encoding: number, value: Ref, limit: number): boolean {
    for (let left = limit; left > 0; left--) {
      const second = this.next(value)
      if (second === 0) {
        this.arena.free(value)
        return true
      }
      this.arena.dv(value).setUint32(this.arena.at(value), this.next(second), true)
      this.arena.free(second)
    }
    return false
  }

  copy(_encoding: number, value: Ref): Ref {
    return this.make(this.counts(value))
  }

  memory(_encoding: number, value: Ref): number {
    return this.counts(value).length * NODE_BYTES
  }

  relocatePart(_encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    const first = this.arena.relocate(value)
    let before = first
    for (let i = 0; before !== 0 && i < cursor.at; i++) before = this.next(before)
    for (let left = NODES_AT_ONCE; before !== 0 && left > 0; left--, cursor.at++) {
      const node = this.arena.relocate(this.next(before))
      this.arena.dv(before).setUint32(this.arena.at(before), node, true)
      before = node
    }
    cursor.done = before === 0
    return first
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    for (const count of this.counts(entries.valueOf(entry))) into.mix(bytesOf(String(count)))
  }
}

function tallies(space: Keyspace): TallyType {
  return space.types.of(TYPE_TALLY) as TallyType
}

class TallyWriter implements ValueWriter {
  private readonly space: Keyspace
  private left: number[] = []
  private begun = false

  constructor(space: Keyspace) {
    this.space = space
  }

  rdbType(): number {
    return RDB_TALLY
  }

  begin(entries: Entries, entry: Ref): void {
    this.left = tallies(this.space).counts(entries.valueOf(entry))
    this.begun = false
  }

  step(out: RdbOutput, until: number): boolean {
    if (!this.begun) out.length(this.left.length)
    this.begun = true
    while (this.left.length > 0) {
      if (!out.ready(until)) return false
      out.double(this.left.shift()!)
    }
    return out.ready(until)
  }
}

class TallyReader implements ValueReader {
  readonly encoding = ENC_CHAIN
  value: Ref = 0
  empty = false
  private readonly space: Keyspace
  private left = 0

  constructor({ space }: ReadSource) {
    this.space = space
  }

  begin(_rdbType: number, input: RdbInput): void {
    this.value = 0
    this.left = input.length()
    this.empty = this.left === 0
  }

  step(input: RdbInput, until: number): boolean {
    for (; this.left > 0; this.left--) {
      input.checkpoint = input.pos
      if (input.pos > until) return false
      this.value = tallies(this.space).push(this.value, input.double())
    }
    return true
  }

  discard(): void {
    if (this.value !== 0) while (!tallies(this.space).freeStep(ENC_CHAIN, this.value, 100));
    this.value = 0
  }
}

const tallyCodec: ValueCodec = {
  type: TYPE_TALLY,
  forms: [{ rdbType: RDB_TALLY, version: 10, counted: true, skip: input => void input.double() }],
  writer: space => new TallyWriter(space),
  reader: source => new TallyReader(source),
  rewriter: space => ({
    *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput) {
      const counts = tallies(space).counts(entries.valueOf(entry))
      while (counts.length > 0) {
        const some = counts.splice(0, ITEMS_MAX)
        to.begin('TALLY', key, some.length)
        for (const count of some) to.out.word(String(count))
        yield
      }
    },
  }),
}

const tally: Command = {
  name: 'tally',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RW INSERT @1',
  since: '7.2.4',
  group: 'generic',
  summary: 'Counts.',
  args: 'key#0 count:double...',
  run(ctx) {
    const { args, argc, db } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_TALLY)
    if (entry === WRONG) return
    const type = tallies(ctx.keyspace)
    let chain = entry === 0 ? 0 : db.entries.valueOf(entry)
    for (let i = 2; i < argc; i++) chain = type.push(chain, Number(args[i].latin1()))
    if (entry === 0) db.add(args[1], TYPE_TALLY, ENC_CHAIN, chain)
    else db.entries.setValue(entry, ENC_CHAIN, chain)
    ctx.touched(args[1], 'tally', NOTIFY_GENERIC)
    ctx.reply.integer(type.counts(chain).length)
  },
}

const extension: ServerExtension = {
  commands: [tally],
  types: [space => new TallyType(space)],
  codecs: [tallyCodec],
}

const many = Array.from({ length: 500 }, (_, i) => i / 8)

valueTypeSuite({
  codecs: [...builtInCodecs, tallyCodec],
  options: { extensions: [extension] },
  samples: [
    { name: 'tally', encoding: 'chain', commands: [['tally', 'k', 5, 0.25, -7]] },
    { name: 'long tally', encoding: 'chain', commands: [['tally', 'k', ...many]] },
  ],
})

function refused(reply: unknown, why: RegExp): void {
  assert.ok(reply instanceof RespError)
  assert.match(reply.message, why)
}

test('commands about keys know a type that is not built in', async () => {
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { extensions: [extension] })
  assert.equal(server.call('tally', 'k', 1, 2), 2)
  assert.equal(server.call('type', 'k'), 'tally')
  assert.deepEqual(server.call('scan', 0, 'type', 'TALLY'), ['0', ['k']])
  assert.deepEqual(server.call('scan', 0, 'type', 'string'), ['0', []])
  assert.equal(server.call('object', 'encoding', 'k'), 'chain')
  assert.match(String(server.call('debug', 'object', 'k')), /encoding:chain/)
  refused(server.call('get', 'k'), /WRONGTYPE/)
  assert.equal(server.call('set', 's', 'x'), 'OK')
  refused(server.call('tally', 's', 1), /WRONGTYPE/)
  assert.equal(server.call('rename', 'k', 'n'), 'OK')
  assert.equal(server.call('move', 'n', 3), 1)
  assert.equal(server.call('dbsize'), 1)
  assert.equal(server.call('swapdb', 0, 3), 'OK')
  assert.equal(server.call('tally', 'n', 3), 3)
})

test('a large value of a type that is not built in is freed in slices', async () => {
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { extensions: [extension] })
  server.call('tally', 'k', ...many)
  const { keyspace } = server.server.engine
  server.send(0, ['unlink', 'k'])
  assert.equal(keyspace.lazyPending, 1)
  server.machine.advance(1000)
  assert.equal(keyspace.lazyPending, 0)
})

test('a server without the type refuses its values', async () => {
  const machine = virtualSystem({ seed: 1 })
  const having = await MachineServer.start(machine, {}, { extensions: [extension] })
  having.call('tally', 'k', 1)
  const payload = String(having.call('dump', 'k'))
  assert.equal(having.call('save'), 'OK')
  await having.stop(['nosave', 'now'])
  await assert.rejects(MachineServer.start(machine))
  const without = await MachineServer.start(virtualSystem({ seed: 1 }))
  refused(without.call('restore', 'k', 0, latin1Bytes(payload)), /Bad data format/)
})

test('a type without a codec does not start', async () => {
  const start = MachineServer.start(virtualSystem({ seed: 1 }), {}, { extensions: [{ ...extension, codecs: [] }] })
  await assert.rejects(start, /'tally' \(9\) has no codec/)
})
