// redstart restore FILE URL: restores the keys of an RDB file into a running server.
//
//   FILE ─▶ [checked whole] ─▶ filters, database map ─▶ TargetWriter: RESTORE ─▶ server
//
// Always: nothing is sent before the whole file was validated; a key is restored completely or not at all.

import { ConnectionLost } from '../client/errors.ts'
import { Remote } from '../client/remote.ts'
import { globMatch } from '../lib/glob.ts'
import { Slice } from '../lib/slice.ts'
import type { KeyAttributes } from '../persistence/rdb/reader.ts'
import { ReplyError } from '../protocol/value.ts'
import { EXIT_FAULTS, EXIT_GOOD, type Machine, print, type Tool, ToolError, type Words } from './command-line.ts'
import { passRdb, type RdbVisitor } from './online/rdb-pass.ts'
import { ScratchKeyspace } from './online/scratch-keyspace.ts'
import { pause, Stop, serverOf, TLS_FLAGS, URLS } from './online/session.ts'
import { refusal, TargetWriter } from './online/target-writer.ts'
import { countText } from './progress.ts'

const ABOUT = `
FILE is an RDB file of any version up to that of Redis 7.2. It is checked first. Keys whose time is over are left out;
times to live stay what they are, to the millisecond. A key that the server has already stays as it is, is counted, and
makes the exit code 1, unless --replace is given. Libraries of functions come along unless keys are chosen by --match.

A server that does not understand a value's format (an older one) gets it in plain commands instead.

With a database in the URL all keys go there; --db FROM=TO sends those of one database elsewhere.

${URLS}

Example: redstart restore today.rdb redis://db.example --match 'user:*' --db 0=3 --rate 20000
`

export const restoreTool: Tool = {
  name: 'restore',
  summary: 'Puts the keys of an RDB file into a running server.',
  operands: 'FILE URL',
  about: ABOUT,
  flags: [
    { name: '--dry-run', about: 'check the file and the server, say what would be restored' },
    { name: '--match', value: 'GLOB', many: true, about: 'only keys that match; several: any of them' },
    { name: '--exclude', value: 'GLOB', many: true, about: 'no keys that match' },
    { name: '--db', value: 'FROM=TO', many: true, about: 'keys of database FROM go to database TO' },
    { name: '--replace', about: 'keys and libraries that are there already are replaced' },
    { name: '--rate', value: 'N', about: 'at most N keys a second' },
    ...TLS_FLAGS,
  ],
  run: (words, machine) => new Restore(words, machine).run(),
}

class Restore implements RdbVisitor {
  private readonly words: Words
  private readonly machine: Machine
  private readonly path: string
  private readonly match: readonly Slice[]
  private readonly exclude: readonly Slice[]
  private readonly map: ReadonlyMap<number, number>
  private readonly into: number
  private readonly rate: number
  private readonly libraries: Uint8Array[] = []
  private writer: TargetWriter | undefined
  private readonly startUs: number
  private readonly startMs: number
  private sent = 0
  private filtered = 0
  private expired = 0
  private existingLibraries = 0

  constructor(words: Words, machine: Machine) {
    this.words = words
    this.machine = machine
    this.path = words.operands[0]
    this.match = words.all('--match').map(text => Slice.utf8(text))
    this.exclude = words.all('--exclude').map(text => Slice.utf8(text))
    this.map = databaseMap(words.all('--db'))
    this.into = serverOf(words.operands[1], words, machine).database
    this.rate = words.integer('--rate', 1) ?? 0
    this.startUs = machine.clock.monotonicUs()
    this.startMs = machine.clock.nowMs()
  }

  async run(): Promise<number> {
    const { machine, words, path } = this
    const url = serverOf(words.operands[1], words, machine)
    const stop = new Stop(machine, 'given up: what was restored stays; --replace to begin again')
    const remote = await Remote.open(url, machine)
    try {
      const found = await passRdb(machine, path, { label: 'checking', stop, visitor: this })
      const total = this.sent
      if (found.modules > 0) print(machine, `data of modules is left out: ${countText(found.modules)}\n`)
      if (words.has('--dry-run')) {
        print(machine, `${url.text} would get ${this.counts()}\n`)
        return EXIT_GOOD
      }
      this.sent = this.filtered = this.expired = 0
      const writer = new TargetWriter(remote, new ScratchKeyspace(machine), words.has('--replace'))
      this.writer = writer
      try {
        await this.restoreLibraries(remote)
        await passRdb(machine, path, { label: 'restoring', stop, visitor: this, slowly: this.rate > 0 })
        await stop.or(writer.finish())
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        const how = `${countText(writer.restored)} of ${countText(total)} keys are restored; --replace to begin again`
        throw new ToolError(`${error.message}. ${how}`)
      }
      return this.report(url.text, writer)
    } finally {
      remote.close()
    }
  }

  private report(server: string, { restored, existing, asCommands }: TargetWriter): number {
    const { machine } = this
    const seconds = ((machine.clock.monotonicUs() - this.startUs) / 1e6).toFixed(1)
    const lines = [`${server} got ${countText(restored)} keys and ${this.libraries.length} libraries in ${seconds} s`]
    if (this.filtered > 0) lines.push(`left out by --match and --exclude: ${countText(this.filtered)}`)
    if (this.expired > 0) lines.push(`left out, their time is over: ${countText(this.expired)}`)
    if (asCommands > 0) lines.push(`restored in plain commands: ${countText(asCommands)}`)
    if (existing > 0) lines.push(`there already, not replaced: ${countText(existing)} keys`)
    if (this.existingLibraries > 0) lines.push(`there already, not replaced: ${this.existingLibraries} libraries`)
    print(machine, `${lines.join('\n')}\n`)
    return existing + this.existingLibraries > 0 ? EXIT_FAULTS : EXIT_GOOD
  }

  private counts(): string {
    const parts = [`${countText(this.sent)} keys and ${this.libraries.length} libraries`]
    if (this.filtered > 0) parts.push(`${countText(this.filtered)} keys are left out by --match and --exclude`)
    if (this.expired > 0) parts.push(`${countText(this.expired)} keys are left out: their time is over`)
    return parts.join('; ')
  }

  private async restoreLibraries(remote: Remote): Promise<void> {
    const replace = this.words.has('--replace') ? ['REPLACE'] : []
    for (const code of this.libraries) {
      const reply = await remote.try('FUNCTION', 'LOAD', ...replace, code)
      if (!(reply instanceof ReplyError)) continue
      if (!/already exists/.test(reply.text)) throw refusal(remote, reply)
      this.existingLibraries++
    }
  }

  // ---- visitor of the file's keys: one pass validates, one sends ----

  key(database: number, key: Slice, payload: () => Uint8Array, attributes: KeyAttributes): void {
    if (!this.isWanted(key)) {
      this.filtered++
      return
    }
    const { expiryMs, idleSeconds, frequency } = attributes
    if (expiryMs >= 0 && expiryMs <= this.startMs) {
      this.expired++
      return
    }
    this.sent++
    const to = this.map.get(database) ?? (this.into >= 0 ? this.into : database)
    this.writer?.put({
      database: to,
      key: key.view().slice(),
      payload: payload().slice(),
      expiryMs: Number(expiryMs),
      idleSeconds,
      frequency,
    })
  }

  private isWanted(key: Slice): boolean {
    const { match, exclude } = this
    if (match.length > 0 && !match.some(glob => globMatch(glob, key))) return false
    return !exclude.some(glob => globMatch(glob, key))
  }

  library(code: Slice): void {
    if (this.writer === undefined && this.match.length === 0) this.libraries.push(code.view().slice())
  }

  pace(): Promise<void> | undefined {
    const { writer, rate, machine } = this
    if (writer === undefined) return undefined
    const aheadMs = rate === 0 ? 0 : (this.sent / rate) * 1000 - (machine.clock.nowMs() - this.startMs)
    return aheadMs >= 2 ? pause(machine, aheadMs) : writer.ready()
  }
}

function databaseMap(words: readonly string[]): Map<number, number> {
  const map = new Map<number, number>()
  for (const word of words) {
    const match = /^(\d+)=(\d+)$/.exec(word)
    if (match === null) throw new ToolError(`--db wants FROM=TO, two numbers of databases: '${word}'`)
    map.set(Number(match[1]), Number(match[2]))
  }
  return map
}
