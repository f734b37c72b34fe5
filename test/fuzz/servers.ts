// The two servers of a differential run, each in its own process.
//
// Always: an epoch begins on empty servers with the same configuration; the append-only file is on a file system in
// memory if there is one, so that `appendfsync always` costs nothing.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, untilListening } from '../harness/target.ts'
import { FuzzConnection } from './connection.ts'

const MEMORY_DIR = '/dev/shm'

// Small limits, so that a few elements change the encoding.
export const SMALL_LIMITS: { readonly [directive: string]: string } = {
  'hash-max-listpack-entries': '8',
  'hash-max-listpack-value': '40',
  'list-max-listpack-size': '6',
  'set-max-intset-entries': '10',
  'zset-max-listpack-entries': '10',
  'zset-max-listpack-value': '40',
  'stream-node-max-entries': '5',
}

const BASE = ['--save', '', '--enable-debug-command', 'yes']
const PLAIN = ['--appendonly', 'no']
/** What observers need: see observer.ts. Replicas are never pinged nor timed out. */
const OBSERVED = [
  ...['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'],
  ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1000000', '--repl-timeout', '3000000'],
  ...['--slowlog-log-slower-than', '0', '--slowlog-max-len', '4096', '--notify-keyspace-events', 'KEAmn'],
]

export class FuzzServer {
  readonly label: string
  readonly dir: string
  private readonly command: readonly string[]
  private readonly observed: boolean
  private child: ChildProcess | undefined
  private port = 0
  private starts = 0

  /** `command`: a command line that accepts redis-server's options. */
  constructor(label: string, command: readonly string[], observed: boolean) {
    this.label = label
    this.command = command
    this.observed = observed
    this.dir = mkdtempSync(join(existsSync(MEMORY_DIR) ? MEMORY_DIR : tmpdir(), 'redstart-fuzz-'))
  }

  /** How often it was started. */
  get generation(): number {
    return this.starts
  }

  /** A new connection; starts the server when it is not running. */
  async connect(): Promise<FuzzConnection> {
    await this.started()
    return FuzzConnection.open(this.label, this.port)
  }

  /** Its port, once it listens. */
  async started(): Promise<number> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) await this.start()
    return this.port
  }

  private async start(): Promise<void> {
    this.port = await freePort()
    this.starts++
    rmSync(join(this.dir, 'appendonlydir'), { recursive: true, force: true })
    const limits = Object.entries(SMALL_LIMITS).flatMap(([name, value]) => [`--${name}`, value])
    const where = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir]
    const log = ['--logfile', join(this.dir, 'log')]
    const options = [...where, ...log, ...BASE, ...(this.observed ? OBSERVED : PLAIN), ...limits]
    const child = spawn(this.command[0], [...this.command.slice(1), ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.child = child
    await untilListening(this.port, child)
  }

  /** The end of the server's log. */
  logTail(): string {
    try {
      return readFileSync(join(this.dir, 'log'), 'latin1').slice(-2000)
    } catch {
      return ''
    }
  }

  kill(): void {
    this.child?.kill('SIGKILL')
    this.child = undefined
  }

  stop(): void {
    this.kill()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
