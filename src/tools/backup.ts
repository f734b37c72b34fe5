// redstart backup URL FILE: writes an RDB file of a running server.
//
//   as a replica   the dataset of one moment, by SYNC or PSYNC                    [PrimaryLink]
//   key by key     where the server refuses replication; each key is consistent,  [KeyCopier]
//                  but they are of different moments
//     ─▶ FILE.tmp ─▶ fsync ─▶ read again, checksum ─▶ FILE
//
// Always: FILE is complete or unchanged; on any failure nothing else remains.

import { AwaitedLink } from '../client/awaited-link.ts'
import { ReplicationRefused } from '../client/errors.ts'
import { Remote } from '../client/remote.ts'
import type { ServerUrl } from '../client/url.ts'
import { folderOf } from '../persistence/file-sink.ts'
import { EXIT_GOOD, type Machine, print, type Tool, ToolError, type Words } from './command-line.ts'
import { passRdb, summaryText } from './online/rdb-pass.ts'
import { RdbBuilder } from './online/rdb-writer.ts'
import { type CopiedKey, KeyCopier, keysOf, keyText, librariesOf } from './online/scan-source.ts'
import { Stop, serverOf, TLS_FLAGS, URLS, wholeServer } from './online/session.ts'
import { bytesText, countText, Progress } from './progress.ts'

const ABOUT = `
The server is asked for its dataset as a replica asks for it: the file holds what it held at one moment. A server that
has no replicas (managed ones, or a user without the right) is read key by key instead: each key is then copied whole,
but not all at the same moment; the tool says so. --keys chooses that way.

The file is written as FILE.tmp, read again, checked, and only then named FILE. It can be loaded by redis-server and by
redstart (dbfilename), or put into a running server by redstart restore.

${URLS}

Example: redstart backup redis://:secret@db.example:6379 today.rdb
`

export const backupTool: Tool = {
  name: 'backup',
  summary: 'Copies the dataset of a running server into an RDB file.',
  operands: 'URL FILE',
  about: ABOUT,
  flags: [
    { name: '--dry-run', about: 'look at the server, say what would be copied, write nothing' },
    { name: '--replace', about: 'FILE may exist already' },
    { name: '--keys', about: 'copy key by key, not as a replica' },
    ...TLS_FLAGS,
  ],
  run: (words, machine) => new Backup(words, machine).run(),
}

class Backup {
  private readonly words: Words
  private readonly machine: Machine
  private readonly url: ServerUrl
  private readonly path: string
  private readonly temporary: string
  private readonly stop: Stop
  private fd = -1
  private bytes = 0

  constructor(words: Words, machine: Machine) {
    this.words = words
    this.machine = machine
    this.url = wholeServer(serverOf(words.operands[0], words, machine))
    this.path = words.operands[1]
    this.temporary = `${this.path}.tmp`
    this.stop = new Stop(machine, `given up: ${this.path} is as it was before`)
  }

  async run(): Promise<number> {
    const { machine, words, path } = this
    if (machine.disk.stat(path) !== null && !words.has('--replace') && !words.has('--dry-run'))
      throw new ToolError(`${path} exists already: --replace to write over it`)
    if (words.has('--dry-run')) return this.dryRun()
    const beginUs = machine.clock.monotonicUs()
    try {
      const how = await this.copy()
      const summary = await this.install()
      const seconds = ((machine.clock.monotonicUs() - beginUs) / 1e6).toFixed(1)
      print(machine, `${path}: ${summary}, ${bytesText(this.bytes)}, ${seconds} s\n${how}\n`)
      return EXIT_GOOD
    } finally {
      this.cleanUp()
    }
  }

  private async dryRun(): Promise<number> {
    const { machine, url } = this
    const remote = await Remote.open(url, this.machine)
    const databases = await keysOf(remote)
    const { redis_version: version = 'unknown' } = await remote.info('server')
    const { used_memory: memory = '0' } = await remote.info('memory')
    remote.close()
    let keys = 0
    for (const count of databases.values()) keys += count
    const what = `${countText(keys)} keys in ${databases.size} databases (${bytesText(Number(memory))} of memory)`
    print(machine, `${url.text} (version ${version}) has ${what}: they would be copied to ${this.path}\n`)
    return EXIT_GOOD
  }

  /** Copies into the temporary file; returns how it was done, for the operator. */
  private async copy(): Promise<string> {
    if (!this.words.has('--keys')) {
      try {
        await this.stop.or(this.copyAsReplica())
        return 'consistent: the dataset of one moment'
      } catch (error) {
        if (!(error instanceof ReplicationRefused)) throw error
        return `${await this.copyKeys()} (the server takes no replica: ${error.message})`
      }
    }
    return this.copyKeys()
  }

  private open(): void {
    this.fd = this.machine.disk.open(this.temporary, 'w')
    this.bytes = 0
  }

  private write(u8: Uint8Array, length: number): void {
    try {
      this.machine.disk.write(this.fd, u8, 0, length, null)
    } catch (error) {
      throw new ToolError(`${this.path} could not be written: ${(error as Error).message}`)
    }
    this.bytes += length
  }

  private async copyAsReplica(): Promise<void> {
    const { machine } = this
    let progress = new Progress(machine, 'copying', 0)
    let whole: () => void
    let broke: (error: Error) => void
    const done = new Promise<void>((resolve, reject) => {
      whole = resolve
      broke = reject
    })
    done.catch(() => {})
    const link = await AwaitedLink.open(this.url, { rdbOnly: true }, machine, {
      rdbBegins: bytes => {
        progress = new Progress(machine, 'copying', Math.max(0, bytes))
        this.open()
      },
      rdb: bytes => {
        this.write(bytes, bytes.length)
        progress.update(this.bytes)
      },
      rdbEnds: () => whole(),
      stream: () => {},
    })
    link.onEnd = error => broke(error)
    if (link.error !== undefined) broke!(link.error)
    try {
      await this.stop.or(done)
    } finally {
      link.close()
      progress.end()
    }
  }

  private async copyKeys(): Promise<string> {
    const { stop, machine } = this
    const remote = await Remote.open(this.url, machine)
    const copier = new KeyCopier(remote)
    const databases = await keysOf(remote)
    let total = 0
    for (const keys of databases.values()) total += keys
    const progress = new Progress(machine, 'copying', total, countText)
    const libraries = await librariesOf(remote)
    this.open()
    let builder: RdbBuilder | undefined
    const begin = (sample: Uint8Array | undefined) => {
      const begun = new RdbBuilder(sample, (u8, length) => this.write(u8, length))
      begun.aux('ctime', String(Math.floor(machine.clock.nowMs() / 1000)))
      for (const code of libraries) begun.library(code)
      return begun
    }
    let done = 0
    const put = (database: number, keys: readonly CopiedKey[]) => {
      for (const one of keys) {
        builder ??= begin(one.payload)
        builder.key(database, one)
        progress.update(++done)
      }
    }
    try {
      for (const database of databases.keys()) await stop.or(eachKey(copier, database, machine, put))
      builder ??= begin(undefined)
      builder.end()
    } finally {
      progress.end()
      remote.close()
    }
    return 'consistent per key, not at one moment: copied key by key'
  }

  /** Verifies the file by reading it again and renames it; returns a summary. */
  private async install(): Promise<string> {
    const { disk } = this.machine
    disk.fsync(this.fd)
    disk.close(this.fd)
    this.fd = -1
    const { stop } = this
    const summary = await passRdb(this.machine, this.temporary, { label: 'checking', stop })
    disk.rename(this.temporary, this.path)
    disk.fsyncDir(folderOf(disk.resolve(this.path)))
    return summaryText(summary)
  }

  private cleanUp(): void {
    const { disk } = this.machine
    if (this.fd >= 0) disk.close(this.fd)
    this.fd = -1
    if (disk.stat(this.temporary) !== null) disk.unlink(this.temporary)
  }
}

/** Every key of a database once, although SCAN may return one twice. */
async function eachKey(
  copier: KeyCopier,
  database: number,
  { clock }: Machine,
  put: (database: number, keys: readonly CopiedKey[]) => void,
): Promise<void> {
  const seen = new Set<string>()
  let cursor = '0'
  await copier.select(database)
  do {
    const found = await copier.scan(cursor)
    cursor = found.cursor
    const fresh = found.keys.filter(key => {
      const text = keyText(key)
      return !seen.has(text) && seen.add(text)
    })
    put(database, await copier.take(fresh, () => clock.nowMs()))
  } while (cursor !== '0')
}
