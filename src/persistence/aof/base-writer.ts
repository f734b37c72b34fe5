// AofBaseWriter: writes the dataset as commands: the AOF base file with aof-use-rdb-preamble no.
//
// Always: keys that must be written while a large value is in progress follow that value in the file, as in
// SnapshotWriter. The commands of a type come from its codec (persistence/values).

import { UnreadableValue } from '../../keyspace/cold.ts'
import type { Entries } from '../../keyspace/entries.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ByteSink } from '../file-sink.ts'
import { RewriteOutput } from '../values/rewrite-output.ts'
import { type ValueCodecs, ValueRewriters } from '../values/value-codecs.ts'

const CHUNK_BYTES = 240 * 1024
const LARGE_BYTES = 128 * 1024
const PART_BYTES = 64 * 1024

interface AofBaseOptions {
  codecs: ValueCodecs
  libraries: readonly Slice[]
  /** Unix time in seconds for a leading #TS annotation; undefined: none. */
  timestampSeconds: number | undefined
}

export class AofBaseWriter {
  private readonly sink: ByteSink
  private readonly entries: Entries
  private readonly main = new RewriteOutput()
  /** Keys written while a large value is in progress. */
  private readonly side = new RewriteOutput()
  private readonly rewriters: ValueRewriters
  private readonly sideRewriters: ValueRewriters
  /** Memory of values written early because a command was about to change them. */
  copyOnWriteBytes = 0
  /** A value could not be read, or not be written by its type: what is written is not whole. */
  failure: Error | undefined
  private current: Generator<void, void, void> | undefined

  constructor(space: Keyspace, sink: ByteSink, options: AofBaseOptions) {
    this.sink = sink
    this.entries = space.entries
    this.rewriters = new ValueRewriters(space, options.codecs)
    this.sideRewriters = new ValueRewriters(space, options.codecs)
    const { out } = this.main
    if (options.timestampSeconds !== undefined) out.plain(`#TS:${options.timestampSeconds}\r\n`)
    for (const code of options.libraries) {
      out.count(3)
      out.word('FUNCTION')
      out.word('LOAD')
      out.argument(code)
    }
  }

  /** What was written so far ends with a whole command. */
  get isWhole(): boolean {
    return this.current === undefined
  }

  isLarge(entry: Ref): boolean {
    return this.entries.memoryOf(entry) >= LARGE_BYTES
  }

  take(entry: Ref, database: number): void {
    this.copyOnWriteBytes += this.entries.memoryOf(entry)
    const isBetween = this.current !== undefined
    const to = isBetween ? this.side : this.main
    to.select(database)
    const commands = (isBetween ? this.sideRewriters : this.rewriters).rewrite(entry, to)
    while (!this.next(commands));
    if (!isBetween && to.out.len >= CHUNK_BYTES) this.send()
  }

  begin(entry: Ref, database: number): void {
    this.main.select(database)
    this.current = this.rewriters.rewrite(entry, this.main)
    this.side.database = -1
  }

  step(): boolean {
    const { main, side } = this
    const until = main.out.len + PART_BYTES
    let done = false
    while (!done && main.out.len < until) done = this.next(this.current!)
    if (done) {
      this.current = undefined
      if (side.out.len > 0) this.appendSide()
    }
    if (main.out.len >= CHUNK_BYTES) this.send()
    return done
  }

  /** Writes a command; true at the end, or where the value cannot be read. */
  private next(commands: Generator<void, void, void>): boolean {
    try {
      return commands.next().done === true
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.failure ??= error
      return true
    }
  }

  private appendSide(): void {
    const { main, side } = this
    main.out.append(side.out)
    main.database = side.database
    side.out.drop(side.out.len)
  }

  private send(): void {
    const { out } = this.main
    const failure = this.rewriters.takeFailure() ?? this.sideRewriters.takeFailure()
    if (failure !== undefined) this.failure ??= new Error(failure)
    this.sink.write(out.u8.slice(0, out.len), out.len)
    out.drop(out.len)
  }

  end(): void {
    this.send()
  }
}
