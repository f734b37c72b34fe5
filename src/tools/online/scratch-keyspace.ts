// ScratchKeyspace: an empty keyspace that restores one DUMP payload at a time: to compare payloads of servers of
// different versions, and to convert a value to commands that any server understands.
//
// Always: it is empty between calls.

import { Engine } from '../../engine/engine.ts'
import { valueDigest } from '../../keyspace/digest.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import { CR, STAR } from '../../lib/ascii.ts'
import { Sha1 } from '../../lib/sha1.ts'
import { Slice } from '../../lib/slice.ts'
import { DumpPayloads } from '../../persistence/rdb/payload.ts'
import { builtInCodecs } from '../../persistence/values/index.ts'
import { RewriteOutput } from '../../persistence/values/rewrite-output.ts'
import { ValueCodecs, ValueRewriters } from '../../persistence/values/value-codecs.ts'
import type { CommandWriter } from '../../protocol/command-writer.ts'
import type { System } from '../../system/system.ts'

const FREE_LIMIT = 1 << 20

export class ScratchKeyspace {
  private readonly engine: Engine
  private readonly payloads: DumpPayloads
  private readonly rewriters: ValueRewriters
  private readonly commands = new RewriteOutput()

  constructor({ clock, random }: Pick<System, 'clock' | 'random'>) {
    this.engine = new Engine(
      {
        nowMs: () => clock.nowMs(),
        monotonicUs: () => clock.monotonicUs(),
        random: () => random.u32(),
        soon: () => {},
      },
      [],
      1,
    )
    const { keyspace, settings } = this.engine
    const codecs = new ValueCodecs(builtInCodecs)
    this.payloads = new DumpPayloads(keyspace, settings, codecs, () => false)
    this.payloads.skipChecks = true
    this.rewriters = new ValueRewriters(keyspace, codecs)
  }

  /** A digest that is equal for equal values, whatever server dumped them; undefined for an invalid payload. */
  digest(payload: Uint8Array): string | undefined {
    const entry = this.place(Slice.of('k'), payload)
    if (entry === undefined) return undefined
    const { keyspace } = this.engine
    let digest = valueDigest(keyspace, entry)
    if (keyspace.entries.typeOf(entry) === TYPE_STREAM) digest += this.streamDigest(entry)
    this.clear()
    return digest
  }

  /** Includes a stream's groups and counters, by the commands that rebuild it. */
  private streamDigest(entry: number): string {
    const { out } = this.commands
    for (const _ of this.rewriters.rewrite(entry, this.commands));
    const bytes = new Uint8Array(20)
    new Sha1().reset().update(out.u8, 0, out.len).digestInto(bytes)
    out.drop(out.len)
    return String(bytes)
  }

  /** Appends the commands that build the value; returns their number, or -1 for an invalid payload. */
  toCommands(key: Uint8Array, payload: Uint8Array, into: CommandWriter): number {
    const entry = this.place(new Slice(key, 0, key.length), payload)
    if (entry === undefined) return -1
    const { out } = this.commands
    let commands = 0
    for (const _ of this.rewriters.rewrite(entry, this.commands));
    commands = countCommands(out)
    into.append(out)
    out.drop(out.len)
    this.clear()
    return commands
  }

  private place(key: Slice, payload: Uint8Array): number | undefined {
    if (payload.length < 11 || !this.payloads.read(new Slice(payload, 0, payload.length), false)) return undefined
    return this.payloads.place(this.engine.keyspace.databases[0], key)
  }

  private clear(): void {
    const { keyspace } = this.engine
    const [db] = keyspace.databases
    db.clear()
    while (!keyspace.lazyFreeStep(FREE_LIMIT));
  }
}

/** Counts the commands in a buffer by skipping from word to word. */
function countCommands({ u8, len }: CommandWriter): number {
  let commands = 0
  let at = 0
  const number = () => {
    let n = 0
    for (at++; u8[at] !== CR; at++) n = n * 10 + u8[at] - 48
    at += 2
    return n
  }
  while (at < len) {
    if (u8[at] === STAR) {
      commands++
      number()
    } else {
      const bytes = number()
      at += bytes + 2
    }
  }
  return commands
}
