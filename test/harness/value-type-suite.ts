// The suite that every value type must pass in each of its encodings, also those of extensions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Keyspace } from '../../src/keyspace/keyspace.ts'
import { RelocationCursor } from '../../src/keyspace/values/shared/relocation.ts'
import { Slice } from '../../src/lib/slice.ts'
import { Arena, type Ref } from '../../src/memory/arena.ts'
import { RdbInput } from '../../src/persistence/rdb/input.ts'
import { RewriteOutput } from '../../src/persistence/values/rewrite-output.ts'
import type { ValueCodec } from '../../src/persistence/values/value-codec.ts'
import { ValueCodecs, ValueRewriters } from '../../src/persistence/values/value-codecs.ts'
import type { StartServerOptions } from '../../src/server/launch.ts'
import { virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from './machine.ts'
import { latin1Bytes, RespError, type Word } from './resp.ts'

export interface ValueSample {
  name: string
  /** Its OBJECT ENCODING. */
  encoding: string
  /** Commands that create the key `k`. */
  commands: readonly (readonly Word[])[]
  directives?: Readonly<Record<string, string>>
}

export interface ValueSuite {
  samples: readonly ValueSample[]
  codecs: readonly ValueCodec[]
  options?: StartServerOptions
}

const PAGE_BYTES = 16 * 1024
const PAGES = 1024
const SLAB_BYTES_MAX = 3 * PAGE_BYTES
const SLOT_BYTES_MAX = 8192
/** Version and checksum at the end of a payload. */
const FOOTER_BYTES = 10

/** A server with the sample, and shortcuts to its parts. */
class Bench {
  readonly server: MachineServer
  readonly space: Keyspace
  readonly codecs: ValueCodecs

  private constructor(server: MachineServer, codecs: ValueCodecs) {
    this.server = server
    this.space = server.server.engine.keyspace
    this.codecs = codecs
  }

  static async start(suite: ValueSuite, sample: ValueSample, machine = virtualSystem({ seed: 3 })): Promise<Bench> {
    const server = await MachineServer.start(machine, sample.directives, suite.options)
    return new Bench(server, new ValueCodecs(suite.codecs))
  }

  build(sample: ValueSample): this {
    for (const words of sample.commands) this.call(...words)
    assert.equal(this.call('object', 'encoding', 'k'), sample.encoding)
    return this
  }

  call(...words: Word[]): unknown {
    const reply = this.server.call(...words)
    assert.ok(!(reply instanceof RespError), `${words.join(' ').slice(0, 100)}: ${reply}`)
    return reply
  }

  entry(key: string): Ref {
    const entry = this.space.databases[0].find(Slice.of(key))
    assert.notEqual(entry, 0)
    return entry
  }

  digest(key: string): string {
    return String((this.call('debug', 'digest-value', key) as string[])[0])
  }

  /** The AOF rewrite of the key. */
  rewritten(key: string): Uint8Array {
    const output = new RewriteOutput()
    for (const _ of new ValueRewriters(this.space, this.codecs).rewrite(this.entry(key), output));
    return output.out.u8.slice(0, output.out.len)
  }

  freeAll(): void {
    while (!this.space.lazyFreeStep(64));
  }
}

/** Fills the first segment, which is never evacuated: no free page, no slab with a free slot. */
function fillFirstSegment(arena: Arena): Ref[] {
  const fillers: Ref[] = []
  for (let i = 0; i < PAGES; i++) fillers.push(arena.alloc(PAGE_BYTES))
  for (let bytes = 16; bytes <= SLOT_BYTES_MAX; bytes = Arena.sizeFor(bytes) + 1)
    for (let left = SLAB_BYTES_MAX; left > 0; left -= bytes) fillers.push(arena.alloc(bytes))
  return fillers
}

/** Runs the suite on every sample. */
export function valueTypeSuite(suite: ValueSuite): void {
  for (const sample of suite.samples) {
    const title = (what: string) => `${sample.name} (${sample.encoding}): ${what}`
    let shared: Bench | undefined
    const named = (what: string, body: (bench: Bench, sample: ValueSample) => void) =>
      test(title(what), async () => {
        shared ??= await Bench.start(suite, sample)
        shared.call('flushall')
        shared.freeAll()
        body(shared, sample)
      })
    named('a copy is equal, and a value of its own', checkCopy)
    named('freed in steps, all memory comes back; MEMORY counts it', checkMemory)
    named('a database that is flushed leaves nothing', checkFlush)
    named('built by the commands of a rewrite, it is the same', checkRewrite)
    named('DUMP and RESTORE', checkDump)
    named('skipped, its bytes end where they do', checkSkip)
    test(title('moved out of sealed segments, it is the same'), async () =>
      checkRelocation(await Bench.start(suite, sample), sample),
    )
    test(title('saved and loaded, it is the same'), () => checkSave(suite, sample))
    test(title('an append-only file without RDB gives it back'), () => checkAof(suite, sample))
  }
}

function checkCopy(bench: Bench, sample: ValueSample): void {
  bench.build(sample)
  assert.equal(bench.call('copy', 'k', 'c'), 1)
  assert.equal(bench.digest('c'), bench.digest('k'))
  assert.equal(bench.call('object', 'encoding', 'c'), sample.encoding)
  assert.equal(bench.call('type', 'c'), bench.call('type', 'k'))
  const before = bench.digest('k')
  bench.call('del', 'k')
  bench.freeAll()
  assert.equal(bench.digest('c'), before)
}

function checkMemory(bench: Bench, sample: ValueSample): void {
  bench.build(sample)
  const { entries, arena, types } = bench.space
  const entry = bench.entry('k')
  assert.ok(Number(bench.call('memory', 'usage', 'k', 'samples', 0)) >= arena.sizeOf(entry))
  if (!entries.hasRef(entry)) return
  const before = arena.usedBytes
  const type = types.of(entries.typeOf(entry))
  const encoding = entries.encodingOf(entry)
  const copy = type.copy(encoding, entries.valueOf(entry))
  const bytes = arena.usedBytes - before
  const memory = type.memory(encoding, copy, 0)
  assert.ok(bytes > 0)
  assert.ok(memory >= bytes, `${memory} of ${bytes} bytes`)
  const effort = type.freeEffort(encoding, copy)
  let steps = 1
  while (!type.freeStep(encoding, copy, 3)) steps++
  assert.ok(steps <= effort, `${steps} steps for an effort of ${effort}`)
  assert.equal(arena.usedBytes, before)
}

function checkFlush(bench: Bench, sample: ValueSample): void {
  const { arena } = bench.space
  const before = arena.usedBytes
  for (const command of [['flushall'], ['unlink', 'k'], ['del', 'k'], ['set', 'k', 'x'], ['pexpire', 'k', 0]]) {
    bench.build(sample).call(...command)
    bench.call('flushall')
    bench.freeAll()
    assert.equal(arena.usedBytes, before, command.join(' '))
  }
}

function checkRewrite(bench: Bench, sample: ValueSample): void {
  bench.build(sample).call('pexpireat', 'k', 4_000_000_000_000)
  const before = bench.digest('k')
  const bytes = bench.rewritten('k')
  bench.call('flushall')
  const socket = bench.server.server.memory.connect()
  let errors = ''
  socket.onData = piece => {
    const text = MachineServer.text(piece)
    if (text.startsWith('-')) errors += text
  }
  socket.write(bytes)
  // What exceeds a client's budget runs in later turns.
  for (let ms = 0; ms < 100; ms++) bench.server.machine.advance(1)
  socket.close()
  assert.equal(errors, '')
  assert.equal(bench.digest('k'), before)
}

function checkDump(bench: Bench, sample: ValueSample): void {
  bench.build(sample)
  const payload = latin1Bytes(String(bench.call('dump', 'k')))
  assert.equal(bench.call('restore', 'r', 0, payload), 'OK')
  assert.equal(bench.digest('r'), bench.digest('k'))
  assert.equal(bench.call('object', 'encoding', 'r'), sample.encoding)
}

function checkSkip(bench: Bench, sample: ValueSample): void {
  bench.build(sample)
  const payload = latin1Bytes(String(bench.call('dump', 'k')))
  const end = payload.length - FOOTER_BYTES
  const input = new RdbInput().open(payload, new DataView(payload.buffer), 0, end)
  const form = bench.codecs.formOf(input.byte())
  assert.ok(form)
  for (let left = form.counted ? input.length() : 1; left > 0; left--) form.skip(input)
  assert.equal(input.pos, end)
}

function checkRelocation(bench: Bench, sample: ValueSample): void {
  const { arena, tables, databases } = bench.space
  const [db] = databases
  const fillers = fillFirstSegment(arena)
  bench.build(sample)
  const before = bench.digest('k')
  const commands = bench.rewritten('k')
  for (const ref of fillers) arena.free(ref)
  assert.ok(arena.evacuateSparse())
  const cursor = new RelocationCursor()
  const entry = bench.entry('k')
  db.relocateTables()
  for (let i = 0; i < tables.buckets(db.mainTable); i++)
    tables.mapBucket(db.mainTable, i, one => db.relocateEntry(one, Number.POSITIVE_INFINITY, cursor))
  assert.notEqual(bench.entry('k'), entry)
  arena.endEvacuation()
  assert.equal(bench.digest('k'), before)
  assert.deepEqual(bench.rewritten('k'), commands)
}

async function checkSave(suite: ValueSuite, sample: ValueSample): Promise<void> {
  const bench = (await Bench.start(suite, sample)).build(sample)
  const before = bench.digest('k')
  bench.call('save')
  const { machine } = bench.server
  await bench.server.stop(['nosave', 'now'])
  const again = await Bench.start(suite, sample, machine)
  assert.equal(again.digest('k'), before)
  assert.equal(again.call('object', 'encoding', 'k'), sample.encoding)
}

async function checkAof(suite: ValueSuite, sample: ValueSample): Promise<void> {
  const directives = { ...sample.directives, appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }
  const bench = (await Bench.start(suite, { ...sample, directives })).build(sample)
  const before = bench.digest('k')
  bench.call('bgrewriteaof')
  const { machine } = bench.server
  for (let ms = 0; ms < 1000; ms++) machine.advance(1)
  assert.match(String(bench.call('info', 'persistence')), /aof_last_bgrewrite_status:ok/)
  await bench.server.stop(['now'])
  const again = await Bench.start(suite, { ...sample, directives }, machine)
  assert.equal(again.digest('k'), before)
}
