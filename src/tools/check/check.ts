// redstart check: validates a persistence file, and repairs it on request.
//
//   FILE ─▶ kind ─▶ RDB ───────────────────▶ verdict ─▶ --fix: FILE.fixed
//             ├───▶ append-only file ──────▶ verdict ─▶ --fix: truncated after the last complete command or group
//             ├───▶ manifest ─▶ its files ─▶ verdict ─▶ --fix: the last file truncated
//
// Always: nothing is written without --fix or --truncate-to-timestamp and a yes; an RDB itself is never changed.

import { Slice } from '../../lib/slice.ts'
import { Manifest, ManifestError } from '../../persistence/aof/manifest.ts'
import { DumpPayloads } from '../../persistence/rdb/payload.ts'
import { builtInCodecs } from '../../persistence/values/index.ts'
import { ValueCodecs } from '../../persistence/values/value-codecs.ts'
import {
  confirmed,
  EXIT_FAULTS,
  EXIT_GOOD,
  EXIT_INTERRUPTED,
  type Machine,
  print,
  type Tool,
  ToolError,
  type Words,
} from '../command-line.ts'
import { Progress } from '../progress.ts'
import { checkAof } from './aof.ts'
import type { AofFindings, Fault, RdbFindings } from './findings.ts'
import { kindOf } from './kind.ts'
import { checkRdb, engineWithoutCommands, printable } from './rdb.ts'
import { cut, salvage, writerOf } from './repair.ts'
import { aofLines, exactBytes, plural, rdbLines, timeText } from './report.ts'

const PAYLOAD_BYTES_MAX = 1 << 30

export const check: Tool = {
  name: 'check',
  summary: 'Checks a file of the dataset: RDB, append-only file, manifest or folder of one, or DUMP payload.',
  operands: 'FILE',
  flags: [
    { name: '--fix', about: 'save what can be saved (see below)' },
    {
      name: '--truncate-to-timestamp',
      value: 'SECONDS',
      about: 'cut an append-only file behind this time (since 1970)',
    },
    { name: '--yes', about: 'do not ask before something is written' },
    { name: '--dry-run', about: 'say what would be written, and write nothing' },
  ],
  about: `
What FILE is shows in its content. The server must not be writing to it.

--fix cuts an append-only file behind the last command, or MULTI group, that is
whole; of several files in a manifest only the last one may be cut. Of an RDB it
writes what is whole into FILE.fixed, and leaves FILE alone: all that stands before
the first fault, and what follows damaged values if it can be read to the end.
Of a checkpoint, with values in other files, these are looked at as well; keys whose
values are damaged or missing are left out of FILE.fixed.
--truncate-to-timestamp counts in seconds since 1970 and wants a file that was
written with aof-timestamp-enabled.
After either the exit code is 0 when it was done.`,
  run: async (words, machine) => new Check(words, machine).run(),
}

/** The position of a file in a manifest. */
type Place = 'alone' | 'before others' | 'last'

/** The result for one file. */
interface Verdict {
  fault?: Fault
  /** Where an AOF file may be truncated to be valid, or to end at the requested time. */
  cutAt?: number
  /** An RDB of which something can be salvaged. */
  rdb?: RdbFindings
  sizeBytes: number
}

class Check {
  private readonly words: Words
  private readonly machine: Machine
  private readonly untilSeconds: number

  constructor(words: Words, machine: Machine) {
    this.words = words
    this.machine = machine
    this.untilSeconds = words.integer('--truncate-to-timestamp', 0) ?? -1
    if (this.untilSeconds >= 0 && words.has('--fix'))
      throw new ToolError('--fix and --truncate-to-timestamp are done one after the other.')
  }

  run(): number {
    const { disk } = this.machine
    const path = this.words.operands[0]
    if (!disk.stat(path)?.isDirectory) return this.checkPath(path)
    const manifests = disk.readdir(path).filter(name => name.endsWith('.manifest') && !name.startsWith('temp-'))
    if (manifests.length === 0)
      throw new ToolError(`There is no manifest of an append-only file in the folder ${path}.`)
    const codes = manifests.map(name => this.checkManifest(`${path}/${name}`))
    return Math.max(...codes)
  }

  private checkPath(path: string): number {
    const { disk } = this.machine
    const fd = disk.open(path, 'r')
    const kind = kindOf(disk, path, fd)
    disk.close(fd)
    if (kind === 'manifest') return this.checkManifest(path)
    const verdict = this.checkFile(path, 'alone')
    return this.conclude(path, verdict)
  }

  // ---- one file ----

  /** Checks a file and prints the findings. */
  private checkFile(path: string, place: Place): Verdict {
    const { disk } = this.machine
    const fd = disk.open(path, 'r')
    try {
      const { sizeBytes } = disk.fstat(fd)
      this.say(`${path}: ${exactBytes(sizeBytes)}`)
      const verdict = this.checkOpen(path, fd, sizeBytes, place)
      const { fault } = verdict
      this.note(fault === undefined ? 'good' : `FAULT at offset ${fault.offset}: ${fault.message}`)
      return verdict
    } finally {
      disk.close(fd)
    }
  }

  private checkOpen(path: string, fd: number, sizeBytes: number, place: Place): Verdict {
    switch (kindOf(this.machine.disk, path, fd)) {
      case 'empty':
        this.note('the file is empty')
        if (place === 'alone' && path.endsWith('.rdb'))
          return { fault: { offset: 0, message: 'An RDB is never empty.' }, sizeBytes }
        return { sizeBytes }
      case 'rdb':
        return this.rdbFile(path, fd, sizeBytes, place)
      case 'aof':
        return this.aofPart(fd, 0, sizeBytes)
      default:
        return place === 'alone' ? this.payloadFile(fd, sizeBytes) : this.aofPart(fd, 0, sizeBytes)
    }
  }

  private rdbFile(path: string, fd: number, sizeBytes: number, place: Place): Verdict {
    const { disk } = this.machine
    const rdb = this.withProgress(sizeBytes, progress => checkRdb(this.machine, path, fd, progress))
    for (const line of rdbLines(rdb)) this.note(line)
    if (rdb.fault !== undefined) return { fault: rdb.fault, rdb, sizeBytes }
    if (rdb.end === sizeBytes) return { sizeBytes }
    const next = new Uint8Array(1)
    disk.read(fd, next, 0, 1, rdb.end)
    const isBase = rdb.fields.get('aof-base') === '1' || rdb.fields.get('aof-preamble') === '1'
    if (place !== 'alone' || isBase || next[0] === 42 || next[0] === 35) return this.aofPart(fd, rdb.end, sizeBytes)
    this.note(`${exactBytes(sizeBytes - rdb.end)} behind the end of the RDB are passed over by a server`)
    return { sizeBytes }
  }

  private aofPart(fd: number, from: number, sizeBytes: number): Verdict {
    const { disk } = this.machine
    this.note(from === 0 ? 'append-only file' : `commands behind the RDB, from offset ${from}`)
    const found = this.withProgress(sizeBytes, progress => checkAof(disk, fd, from, this.untilSeconds, progress))
    for (const line of aofLines(found)) this.note(line)
    return { fault: found.fault, cutAt: this.cutOf(found), sizeBytes }
  }

  private cutOf(found: AofFindings): number | undefined {
    if (found.fault !== undefined) return found.validUpTo
    return found.laterAt >= 0 ? found.laterAt : undefined
  }

  private payloadFile(fd: number, sizeBytes: number): Verdict {
    const { disk } = this.machine
    const unknown: Verdict = {
      fault: { offset: 0, message: 'This is no RDB, append-only file, manifest or (by its checksum) DUMP payload.' },
      sizeBytes,
    }
    if (sizeBytes > PAYLOAD_BYTES_MAX) return unknown
    const u8 = new Uint8Array(sizeBytes)
    for (let at = 0; at < sizeBytes; ) {
      const got = disk.read(fd, u8, at, sizeBytes - at, at)
      if (got === 0) return unknown
      at += got
    }
    const engine = engineWithoutCommands(this.machine)
    const payloads = new DumpPayloads(engine.keyspace, engine.settings, new ValueCodecs(builtInCodecs), () => false)
    const payload = new Slice(u8, 0, sizeBytes)
    if (!payloads.isSound(payload)) return unknown
    this.note('DUMP payload')
    this.note('checksum: right')
    if (payloads.read(payload, true)) return { sizeBytes }
    const [, offset, message] = /offset (\d+) -> (.*)/.exec(payloads.failure) ?? ['', '0', payloads.failure]
    return { fault: { offset: Number(offset), message }, sizeBytes }
  }

  // ---- a manifest ----

  private checkManifest(path: string): number {
    const { disk } = this.machine
    this.say(`${path}: manifest of an append-only file`)
    let manifest: Manifest
    try {
      manifest = Manifest.parse(disk.readFile(path))
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error
      this.note(`FAULT in line ${error.line}: ${error.message}${error.text === '' ? '' : `: ${error.text}`}`)
      return EXIT_FAULTS
    }
    const { files } = manifest
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
    this.note(`${plural(files.length, 'file')}${manifest.base === undefined ? ', none of them a base' : ''}`)
    const missing = files.filter(({ name }) => disk.stat(folder + name) === null)
    for (const { name } of missing) this.note(`FAULT: the file ${name} is missing`)
    let code = missing.length > 0 ? EXIT_FAULTS : EXIT_GOOD
    // Empty files may follow the last file with content: nothing was written to them yet.
    const lastIndex = files.findLastIndex(({ name }) => (disk.stat(folder + name)?.sizeBytes ?? 0) > 0)
    for (const [index, file] of files.entries()) {
      if (missing.includes(file)) continue
      const isLast = index >= lastIndex
      const verdict = this.checkFile(folder + file.name, isLast ? 'last' : 'before others')
      const outcome = isLast ? this.conclude(folder + file.name, verdict) : this.concludeEarlier(verdict)
      code = Math.max(code, outcome)
    }
    return code
  }

  /** For a file followed by others, which truncating it would lose. */
  private concludeEarlier({ fault, cutAt }: Verdict): number {
    if (fault === undefined && cutAt !== undefined)
      throw new ToolError(
        'This is not the last file: delete those behind it, and their lines in the manifest, to go back so far.',
      )
    if (fault === undefined) return EXIT_GOOD
    this.note('others follow this file, so it may not be cut: check it by its own name to see what can be saved')
    return EXIT_FAULTS
  }

  // ---- the end ----

  /** Prints what can be repaired, and does it if requested; returns the exit code. */
  private conclude(path: string, verdict: Verdict): number {
    const { fault, cutAt, rdb, sizeBytes } = verdict
    if (this.untilSeconds >= 0) return this.cutToTime(path, verdict)
    if (fault === undefined) return EXIT_GOOD
    if (rdb?.loads) {
      this.note('a server loads this file as it is')
      return EXIT_FAULTS
    }
    if (rdb !== undefined && rdb.ranges[0].to > 0) return this.saveRdb(path, rdb)
    if (cutAt === undefined) {
      this.note('nothing can be saved')
      return EXIT_FAULTS
    }
    const lost = exactBytes(sizeBytes - cutAt)
    return this.repair(`whole up to offset ${cutAt}`, `cut off the ${lost} behind it`, () => this.cut(path, cutAt))
  }

  private saveRdb(path: string, { ranges, damaged, version, keys }: RdbFindings): number {
    const { disk } = this.machine
    const to = `${path}.fixed`
    const last = ranges[ranges.length - 1].to
    if (damaged.length > 0) this.note(`damaged ${damaged.length === 1 ? 'is' : 'are'} only ${names(damaged)}`)
    const what =
      damaged.length > 0 ? `the other ${plural(keys, 'key')}` : `${plural(keys, 'key')} before offset ${last}`
    return this.repair(`can be saved: ${what}`, `write them to ${to}`, () => {
      this.withProgress(last, progress => salvage(disk, path, ranges, version, to, progress))
    })
  }

  private cutToTime(path: string, { fault, cutAt, rdb, sizeBytes }: Verdict): number {
    const time = timeText(this.untilSeconds)
    if (fault !== undefined) {
      this.note('the fault stands before that time: --fix first')
      return EXIT_FAULTS
    }
    if (cutAt === 0) throw new ToolError(`There is nothing in ${path} before ${time}.`)
    if (cutAt === undefined || rdb !== undefined) {
      this.note(`nothing was written after ${time}`)
      return EXIT_GOOD
    }
    const lost = exactBytes(sizeBytes - cutAt)
    return this.repair(`after ${time}: from offset ${cutAt}`, `cut off ${lost}`, () => this.cut(path, cutAt))
  }

  private cut(path: string, cutAt: number): void {
    const writer = writerOf(this.machine, path)
    if (writer !== undefined)
      throw new ToolError(`The server with pid ${writer} writes to this file: shut it down first.`)
    cut(this.machine.disk, path, cutAt)
  }

  /** Prints a repair, asks for confirmation, and does it; returns the exit code. */
  private repair(finding: string, deed: string, work: () => void): number {
    const { words, machine } = this
    const asked = words.has('--fix') || this.untilSeconds >= 0
    this.note(finding)
    if (!asked || words.has('--dry-run')) {
      this.note(asked ? `would ${deed}` : `--fix would ${deed}`)
      return EXIT_FAULTS
    }
    if (!words.has('--yes') && !confirmed(machine, `This will ${deed}. Go on?`)) return EXIT_INTERRUPTED
    work()
    this.note(`done: ${deed}`)
    return EXIT_GOOD
  }

  private withProgress<Result>(total: number, work: (progress: (offset: number) => void) => Result): Result {
    const progress = new Progress(this.machine, 'checking', total)
    try {
      return work(offset => progress.update(offset))
    } finally {
      progress.end()
    }
  }

  private say(text: string): void {
    print(this.machine, `${text}\n`)
  }

  /** A line about the file named last. */
  private note(text: string): void {
    this.say(`  ${text}`)
  }
}

const NAMES_MAX = 10

function names(keys: readonly string[]): string {
  const shown = keys.slice(0, NAMES_MAX).map(key => `'${printable(key)}'`)
  return keys.length > NAMES_MAX ? `${shown.join(', ')} …` : shown.join(', ')
}
