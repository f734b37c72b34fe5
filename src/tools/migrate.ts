// redstart migrate URL URL: copies a server's dataset to another one while both are in use.
//
//   source ─▶ Follower (as a replica), or KeyMigration (key by key) ─▶ target
//      └────────────────────── Comparer ───────────────────────────────┘
//
// Always: work that was done is not repeated after an interruption; "equal" refers only to what was compared.

import { ClientError, ReplicationRefused } from '../client/errors.ts'
import { Remote } from '../client/remote.ts'
import type { ServerUrl } from '../client/url.ts'
import { ReplyError, textOf } from '../protocol/value.ts'
import {
  complain,
  EXIT_FAULTS,
  EXIT_GOOD,
  EXIT_INTERRUPTED,
  type Machine,
  print,
  type Tool,
  ToolError,
  type Words,
} from './command-line.ts'
import { Comparer, type DoubtfulKey, exampleText } from './online/comparer.ts'
import { Follower } from './online/follower.ts'
import { KeyMigration } from './online/key-migration.ts'
import { MARKER, MigrationState } from './online/migration-state.ts'
import { keysOf } from './online/scan-source.ts'
import { ScratchKeyspace } from './online/scratch-keyspace.ts'
import { pause, Stop, serverOf, TLS_FLAGS, URLS, wholeServer } from './online/session.ts'
import { bytesText, countText } from './progress.ts'

/** CLIENT SETNAME at the target. */
const CLIENT_NAME = 'redstart-migrate'
const ROUNDS = 12
const ROUND_MS = 250
const LAG_MS = 1000
const PAUSE_SECONDS = 60

const ABOUT = `
The first URL is the source, the second the target. The tool is a replica of the source: it copies the dataset, applies
every change as it happens, compares both servers key by key when the target has caught up, and ends. Times to live are
kept to the millisecond; libraries of functions come along.

  (nothing)   ends when both were found equal; what the source takes after that is not copied
  --follow    goes on applying changes until SIGINT or SIGTERM, then catches up and ends
  --cutover   when both were found equal: writes to the source are paused (CLIENT PAUSE WRITE, --pause seconds), the
              last changes are applied, and the tool ends: now clients may go to the target and nothing is lost

Interrupted, or after a broken connection that does not come back, the same command goes on where it stopped: what it
must know is in the file --state and in files beside it, and in the key ${MARKER} of the target. All go in the end.
If the source no longer has the changes that came meanwhile (repl-backlog-size), it begins anew.

A source that takes no replicas is copied key by key, and what has changed is copied again until both are equal. Under
writes that may never be: --cutover makes it so.

The target must be empty, unless --replace is given: then its other keys stay and are not compared.

${URLS}

Example: redstart migrate redis://old.example redis://:secret@new.example:6379 --cutover
`

export const migrateTool: Tool = {
  name: 'migrate',
  summary: 'Copies a running server to another, and every change with it.',
  operands: 'URL URL',
  about: ABOUT,
  flags: [
    { name: '--dry-run', about: 'look at both servers, say what would be done' },
    { name: '--state', value: 'FILE', about: 'where to keep what is needed to go on (redstart-migrate.state)' },
    { name: '--replace', about: 'the target need not be empty: keys that both have are replaced' },
    { name: '--follow', about: 'go on applying changes until interrupted' },
    { name: '--cutover', about: 'pause writes to the source at the end, and apply the last ones' },
    { name: '--pause', value: 'SECONDS', about: `how long --cutover pauses writes (${PAUSE_SECONDS})` },
    { name: '--keys', about: 'copy key by key, not as a replica' },
    { name: '--no-compare', about: 'do not compare the servers' },
    ...TLS_FLAGS,
  ],
  run: (words, machine) => new Migrate(words, machine).run(),
}

class Migrate {
  private readonly words: Words
  private readonly machine: Machine
  private readonly sourceUrl: ServerUrl
  private readonly targetUrl: ServerUrl
  private readonly state: MigrationState
  private readonly scratch: ScratchKeyspace
  private readonly startUs: number
  private readonly open: Remote[] = []
  private stop: Stop

  constructor(words: Words, machine: Machine) {
    this.words = words
    this.machine = machine
    this.sourceUrl = wholeServer(serverOf(words.operands[0], words, machine))
    this.targetUrl = wholeServer(serverOf(words.operands[1], words, machine))
    const path = words.text('--state') ?? 'redstart-migrate.state'
    this.state = new MigrationState(machine.disk, path, this.sourceUrl.text, this.targetUrl.text)
    this.scratch = new ScratchKeyspace(machine)
    this.stop = new Stop(machine, `given up: the same command goes on where it stopped (${path})`)
    this.startUs = machine.clock.monotonicUs()
  }

  private note(text: string): void {
    complain(this.machine, `${text}\n`)
  }

  private async remote(url: ServerUrl): Promise<Remote> {
    const remote = await Remote.open(url, this.machine)
    this.open.push(remote)
    return remote
  }

  async run(): Promise<number> {
    const { words } = this
    try {
      const source = await this.remote(this.sourceUrl)
      const target = await this.remote(this.targetUrl)
      await this.look(source, target)
      if (words.has('--dry-run')) return EXIT_GOOD
      const follower = await this.follower()
      if (follower === undefined) return await this.byKeys(source, target)
      try {
        return await this.asReplica(follower, source, target)
      } finally {
        await follower.end()
      }
    } catch (error) {
      throw this.begun ? this.withAdvice(error) : error
    } finally {
      for (const remote of this.open) remote.close()
    }
  }

  private begun = false

  /** Adds to a failure how to resume. */
  private withAdvice(error: unknown): unknown {
    const { path } = this.state
    const advice = `The same command goes on where it stopped (${path})`
    if (error instanceof ToolError && error.exitCode === EXIT_INTERRUPTED) return error
    if (error instanceof ToolError || error instanceof ClientError) return new ToolError(`${error.message}. ${advice}`)
    if (typeof (error as { code?: unknown }).code !== 'string') return error
    return new ToolError(`the files beside ${path} could not be used: ${(error as Error).message}. ${advice}`)
  }

  /** Checks both servers and refuses migrations that cannot be intended. */
  private async look(source: Remote, target: Remote): Promise<void> {
    const { words, state, machine } = this
    const sourceId = (await source.info('server')).run_id
    if (sourceId !== undefined && sourceId === (await target.info('server')).run_id)
      throw new ToolError('both URLs are of the same server')
    const there = count(await keysOf(target))
    const keys = count(await keysOf(source))
    if (words.has('--dry-run')) {
      const what = state.resumed ? 'an interrupted migration would go on' : 'would be copied'
      print(
        machine,
        `${source.url.text} has ${countText(keys)} keys, ${target.url.text} ${countText(there)}: ${what}\n`,
      )
      return
    }
    await this.claim(target)
    if (state.resumed) {
      this.note(`going on with the migration of ${state.path}`)
      return
    }
    if (there > 0 && !words.has('--replace'))
      throw new ToolError(`${target.url.text} holds ${countText(there)} keys already: --replace to write over them`)
    state.facts.ownsTarget = there === 0
  }

  /** Claims the target: two concurrent migrations into it would undo each other. */
  private async claim(target: Remote): Promise<void> {
    const clients = textOf(await target.try('CLIENT', 'LIST'))
    if (clients.includes(` name=${CLIENT_NAME} `))
      throw new ToolError(`another migration into ${target.url.text} is under way`)
    await target.try('CLIENT', 'SETNAME', CLIENT_NAME)
  }

  /** The replica between both; undefined: the source refuses replication. */
  private async follower(): Promise<Follower | undefined> {
    const { words, state, machine, scratch, stop } = this
    if (words.has('--keys')) state.facts.way = 'keys'
    this.begun = true
    state.save()
    if (state.facts.way === 'keys') return undefined
    const target = await this.remote(this.targetUrl)
    const note = (text: string) => this.note(text)
    const follower = new Follower({ machine, state, source: this.sourceUrl, target, scratch, stop, note })
    try {
      await stop.or(follower.connect())
      return follower
    } catch (error) {
      await follower.end()
      if (!(error instanceof ReplicationRefused)) throw error
      this.note(`${this.sourceUrl.text} takes no replica (${error.message}): copying key by key`)
      state.facts.way = 'keys'
      state.save()
      return undefined
    }
  }

  // ---- as a replica ----

  private async asReplica(follower: Follower, source: Remote, target: Remote): Promise<number> {
    const { words, stop } = this
    try {
      await stop.or(follower.fill())
    } catch (error) {
      if (!(error instanceof ReplicationRefused)) throw error
      await follower.end()
      this.note(`${this.sourceUrl.text} takes no replica (${error.message}): copying key by key`)
      this.state.facts.way = 'keys'
      this.state.save()
      return this.byKeys(source, target)
    }
    follower.follow()
    await follower.caughtUp(true)
    const different = words.has('--no-compare') ? undefined : await this.compare(source, target, follower)
    if (words.has('--follow')) await this.follow(follower)
    let paused = ''
    if (words.has('--cutover')) paused = await this.pauseWrites(source)
    await follower.caughtUp(true)
    // A constantly changing key always compares different, but now writes are paused.
    if (paused !== '' && different !== undefined) different.left = await different.comparer.again(different.left)
    const lag = await follower.lag()
    const { refused } = follower
    const lines = [
      `${countText(follower.keys)} keys and ${countText(follower.changes)} changes are copied, ${this.seconds()} s`,
      `behind the source: ${bytesText(lag)}`,
    ]
    if (follower.asCommands > 0) lines.push(`copied in plain commands: ${countText(follower.asCommands)} keys`)
    if (refused.count > 0)
      lines.push(`changes that the target refused: ${refused.count}, the first with: ${refused.text}`)
    if (paused !== '') lines.push(paused)
    return this.finish(lines, different, target)
  }

  /** Applies changes until the operator ends it. */
  private async follow(follower: Follower): Promise<void> {
    const enough = new Stop(this.machine, 'enough')
    follower.newStop(new Stop(undefined, ''))
    this.note('following: SIGINT or SIGTERM to catch up and end')
    while (!enough.asked) {
      await pause(this.machine, LAG_MS)
      if (enough.asked) break
      const lag = await follower.lag()
      if (this.machine.process.stderrIsTerminal()) complain(this.machine, `\rfollowing, lag ${bytesText(lag)}\x1b[K`)
    }
    this.stop = new Stop(this.machine, 'given up while catching up: the same command goes on where it stopped')
    follower.newStop(this.stop)
  }

  private async pauseWrites(source: Remote): Promise<string> {
    const seconds = this.words.integer('--pause', 1) ?? PAUSE_SECONDS
    const reply = await source.try('CLIENT', 'PAUSE', seconds * 1000, 'WRITE')
    if (reply instanceof ReplyError) throw new ToolError(`${source.url.text} does not pause writes: ${reply.text}`)
    return `writes to the source are paused for ${seconds} s: clients may go to the target now`
  }

  private async compare(source: Remote, target: Remote, follower: Follower): Promise<Compared> {
    const comparer = this.comparer(source, target)
    let left = await comparer.all()
    for (let round = 0; round < ROUNDS && left.length > 0; round++) {
      await this.stop.or(pause(this.machine, ROUND_MS))
      await follower.caughtUp(false)
      left = await comparer.again(left)
    }
    return { comparer, left }
  }

  private comparer(source: Remote, target: Remote): Comparer {
    const { machine, scratch, stop, state } = this
    return new Comparer({ machine, source, target, scratch, stop, both: state.facts.ownsTarget })
  }

  // ---- key by key ----

  private async byKeys(source: Remote, target: Remote): Promise<number> {
    const { machine, state, scratch, stop, words } = this
    const migration = new KeyMigration({ machine, state, source, target, scratch, stop })
    await migration.copy()
    const comparer = this.comparer(source, target)
    const paused = words.has('--cutover') ? await this.pauseWrites(source) : ''
    let left = words.has('--no-compare') ? [] : await comparer.all()
    for (let round = 0; round < ROUNDS && left.length > 0; round++) {
      await stop.or(migration.repair(left))
      // Changes made meanwhile are found only by a full comparison.
      left = left.length > 1000 ? await comparer.all() : await comparer.again(left)
    }
    const lines = [`${countText(migration.keys)} keys are copied key by key, ${this.seconds()} s`]
    if (paused !== '') lines.push(paused)
    else lines.push('what the source has taken since a key was compared is not copied: --cutover pauses writes')
    return this.finish(lines, words.has('--no-compare') ? undefined : { comparer, left }, target)
  }

  // ---- summary ----

  private seconds(): string {
    return ((this.machine.clock.monotonicUs() - this.startUs) / 1e6).toFixed(1)
  }

  private async finish(lines: string[], compared: Compared | undefined, target: Remote): Promise<number> {
    const { machine, state } = this
    if (compared === undefined) lines.push('not compared')
    else if (compared.left.length === 0) {
      const { keys, byValue } = compared.comparer
      lines.push(
        `compared: ${countText(keys)} keys, all equal (${countText(byValue)} by value, the others byte for byte)`,
      )
    } else lines.push(`DIFFERENT: ${countText(compared.left.length)} keys: ${exampleText(compared.left)}`)
    await target.call('SELECT', 0)
    await target.try('DEL', MARKER)
    state.remove()
    print(machine, `${lines.join('\n')}\n`)
    return compared !== undefined && compared.left.length > 0 ? EXIT_FAULTS : EXIT_GOOD
  }
}

interface Compared {
  comparer: Comparer
  left: DoubtfulKey[]
}

function count(databases: Map<number, number>): number {
  let keys = 0
  for (const one of databases.values()) keys += one
  return keys
}
