// Long hostile words in the place of every argument of every command, and of every text that a script function reads,
// ours beside redis-server:
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/hostile/long-inputs.ts [--sizes 100000,1000000,10000000]
//       [--only 'ZCOUNT'] [--kind digits] [--part commands|scripts|parameters|lists] [--all]
//
// Reports what takes ours more than 1.5 times as long as redis-server, and more than 50 ms; measured again before it is
// believed. Only with --all a probe goes to the next size when this one went unnoticed (what grows with the square
// shows long before), and on to the next kind when one was slow. Exits with 1 when something is reported.
// REDSTART_RUNTIME=node tries Node, after npm run build.

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { encodeCommand, latin1Bytes } from '../harness/resp.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { splitWords } from '../harness/words.ts'
import { projectRoot } from '../tidy/source.ts'
import { COMMANDS, PARAMETERS_LEFT_OUT, SETUP } from './long-commands.ts'
import { KINDS, lists, type Probe, probesOfCommands, probesOfScripts } from './long-kinds.ts'

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100000,1000000,10000000' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    only: { type: 'string', default: '' },
    kind: { type: 'string', default: '' },
    part: { type: 'string', default: '' },
    names: { type: 'string', default: '100000' },
    all: { type: 'boolean', default: false },
  },
})

const FACTOR = 1.5
const FLOOR_MS = 50
/** A probe that ours answers this much later than redis-server, for each 100 KB, is followed to the next size. */
const NOTICED_MS = 0.5
const GIVEN_UP_MS = 20_000
/** A connection that closes because its server has ended is followed by its end this soon. */
const ENDS_MS = 200
const MARKER = latin1Bytes('$9\r\nlong-done\r\n')
const MARK = encodeCommand(['PING', 'long-done'])
const CLEAN = ['RESET', 'FLUSHALL', 'SCRIPT FLUSH', 'SLOWLOG RESET', ...SETUP].map(line =>
  encodeCommand(splitWords(line)),
)

/** A server, and one connection to it at a time. When it ends, or is stuck, that is counted and it starts again. */
class Contender {
  server: ServerProcess
  ends = 0
  private readonly start: () => Promise<ServerProcess>
  private socket: Socket | undefined
  private tail: Uint8Array = MARKER
  private arrived: (ok: boolean) => void = () => {}

  private constructor(server: ServerProcess, start: () => Promise<ServerProcess>) {
    this.server = server
    this.start = start
  }

  static async start(command: string, folder: string): Promise<Contender> {
    const directives = { save: '', appendonly: 'no', loglevel: 'warning', 'proto-max-bulk-len': '512mb' }
    const start = () => ServerProcess.start(command, folder, directives)
    return new Contender(await start(), start)
  }

  /** How long it takes to answer, or to close the connection, in milliseconds; infinite when it does neither. */
  async time(command: Uint8Array): Promise<number> {
    const socket = (this.socket ??= await this.open())
    const startMs = performance.now()
    const answered = await new Promise<boolean>(resolve => {
      const timer = setTimeout(() => resolve(false), GIVEN_UP_MS)
      this.arrived = ok => {
        clearTimeout(timer)
        resolve(ok)
      }
      socket.write(command)
      socket.write(MARK)
    })
    const ms = performance.now() - startMs
    this.arrived = () => {}
    if (answered) return ms
    this.socket = undefined
    socket.destroy()
    const isStuck = ms >= GIVEN_UP_MS
    if (isStuck) await this.server.kill()
    if (isStuck || (await Promise.race([this.server.ended.then(() => true), sleep(ENDS_MS).then(() => false)]))) {
      this.ends++
      this.server = await this.start()
      await this.clean()
    }
    return isStuck ? Number.POSITIVE_INFINITY : ms
  }

  /** The keys of the examples, and nothing else. */
  async clean(): Promise<void> {
    await this.time(Buffer.concat(CLEAN))
  }

  private async open(): Promise<Socket> {
    const socket = connect({ port: this.server.port, host: '127.0.0.1', noDelay: true })
    this.tail = new Uint8Array(0)
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.socket !== socket) return
      this.socket = undefined
      this.arrived(false)
    })
    socket.on('data', bytes => {
      const more = bytes as Buffer
      this.tail = (more.length >= MARKER.length ? more : Buffer.concat([this.tail, more])).subarray(-MARKER.length)
      if (Buffer.compare(this.tail, MARKER) === 0) this.arrived(true)
    })
    await new Promise<void>(resolve => socket.once('connect', resolve).once('close', () => resolve()))
    return socket
  }
}

interface Comparison {
  oursMs: number
  theirsMs: number
}

class Trial {
  readonly slow: string[] = []
  count = 0
  private readonly ours: Contender
  private readonly theirs: Contender

  constructor(ours: Contender, theirs: Contender) {
    this.ours = ours
    this.theirs = theirs
  }

  async clean(): Promise<void> {
    await this.ours.clean()
    await this.theirs.clean()
  }

  /** One command to both; what is slow is tried again, and counts when it is never fast. */
  async compare(what: string, command: Uint8Array): Promise<Comparison> {
    this.count++
    const best = { oursMs: Number.POSITIVE_INFINITY, theirsMs: Number.POSITIVE_INFINITY }
    for (let attempt = 0; attempt < 4; attempt++) {
      const ends = [this.ours.ends, this.theirs.ends]
      best.theirsMs = Math.min(best.theirsMs, await this.theirs.time(command))
      best.oursMs = Math.min(best.oursMs, await this.ours.time(command))
      if (this.theirs.ends > ends[1]) console.log(`redis-server ended, or did not answer: ${what}`)
      if (this.ours.ends > ends[0]) {
        console.log(`ENDED ${what}`)
        this.slow.push(`${what}: ours ended, or did not answer`)
        return best
      }
      if (!isSlow(best)) return best
      if (best.oursMs > GIVEN_UP_MS / 4) break
      await this.clean()
    }
    const line = `${what}: ${Math.round(best.oursMs)} ms, redis-server ${Math.round(best.theirsMs)} ms`
    console.log(`SLOW ${line}`)
    this.slow.push(line)
    return best
  }

  /** A probe in every kind and size; when one is slow, the kinds that follow say nothing new. */
  async run({ name, words }: Probe, sizes: readonly number[]): Promise<void> {
    for (const [kind, make] of Object.entries(KINDS)) {
      if (!kind.includes(options.kind)) continue
      for (const size of sizes) {
        const hostile = latin1Bytes(make(size))
        const command = encodeCommand(words.map(word => word ?? hostile))
        const found = await this.compare(`${name} with ${size} ${kind}`, command)
        if (isSlow(found) && !options.all) return this.clean()
        if (!options.all && found.oursMs - found.theirsMs < (NOTICED_MS * size) / 100_000) break
      }
    }
    await this.clean()
  }
}

function isSlow({ oursMs, theirsMs }: Comparison): boolean {
  return oursMs > Math.max(FACTOR * theirsMs, FLOOR_MS)
}

async function parameters(server: ServerProcess): Promise<Probe[]> {
  const pairs = (await server.call('CONFIG', 'GET', '*')) as string[]
  const names = pairs.filter((name, i) => i % 2 === 0 && !PARAMETERS_LEFT_OUT.includes(name))
  return names.map(name => ({ name: `CONFIG SET ${name}`, group: 'config', words: ['CONFIG', 'SET', name, undefined] }))
}

async function main(): Promise<number> {
  const oracle = oraclePath
  if (oracle === undefined) throw new Error('REDIS_SERVER names no redis-server')
  const folder = mkdtempSync(join(tmpdir(), 'redstart-long-'))
  const started: Contender[] = []
  try {
    const start = async (command: string) => {
      const contender = await Contender.start(command, mkdtempSync(join(folder, 'server-')))
      started.push(contender)
      return contender
    }
    const ours = await start(options.server)
    const theirs = await start(oracle)
    const trial = new Trial(ours, theirs)
    await trial.clean()
    const sizes = options.sizes.split(',').map(Number)
    const wants = (part: string) => options.part === '' || options.part === part
    const probes = [
      ...(wants('scripts') ? probesOfScripts() : []),
      ...(wants('parameters') ? await parameters(ours.server) : []),
      ...(wants('commands') ? probesOfCommands() : []),
    ].filter(probe => probe.name.includes(options.only))
    for (const probe of probes) await trial.run(probe, sizes)
    for (const line of wants('lists') ? Object.values(COMMANDS).flat() : []) {
      if (!line.includes(options.only)) continue
      for (const words of lists(line, Number(options.names)))
        await trial.compare(`${line} with ${words.length} words`, encodeCommand(words))
      await trial.clean()
    }
    console.log(`${trial.count} commands, ${trial.slow.length} of them slow`)
    for (const line of trial.slow) console.log(`  ${line}`)
    return trial.slow.length
  } finally {
    for (const { server } of started) await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = (await main()) > 0 ? 1 : 0
