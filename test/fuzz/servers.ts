// The two servers of a differential run, each in its own process, and pipelined connections to them.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeCommand, type PlainValue, parseReply, plain, replyEnd } from '../harness/resp.ts'
import { freePort, untilListening } from '../harness/target.ts'

const REPLY_WAIT_MS = 20_000

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

/** A server ended or does not reply. */
export class ServerFailure extends Error {}

export class FuzzServer {
  readonly label: string
  private readonly command: readonly string[]
  private child: ChildProcess | undefined
  private port = 0
  private readonly dir = mkdtempSync(join(tmpdir(), 'redstart-fuzz-'))

  /** `command`: a command line that accepts redis-server's options. */
  constructor(label: string, command: readonly string[]) {
    this.label = label
    this.command = command
  }

  /** A new connection; starts the server when it is not running. */
  async connect(): Promise<FuzzConnection> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) await this.start()
    return FuzzConnection.open(this.label, this.port)
  }

  private async start(): Promise<void> {
    this.port = await freePort()
    const limits = Object.entries(SMALL_LIMITS).flatMap(([name, value]) => [`--${name}`, value])
    const where = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.dir,
      '--logfile',
      join(this.dir, 'log'),
    ]
    const options = [...where, '--save', '', '--appendonly', 'no', '--enable-debug-command', 'yes', ...limits]
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

export class FuzzConnection {
  private readonly label: string
  private readonly socket: Socket
  private buffer: Uint8Array = new Uint8Array(0)
  private replies: Uint8Array[] = []
  private wanted = 0
  private settle: ((failure?: Error) => void) | undefined
  private failure: Error | undefined

  private constructor(label: string, socket: Socket) {
    this.label = label
    this.socket = socket
    socket.on('data', bytes => this.received(bytes))
    socket.on('close', () => this.fail(new ServerFailure(`${label} closed the connection`)))
  }

  static open(label: string, port: number): Promise<FuzzConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const connection = new FuzzConnection(label, socket)
      socket.once('connect', () => resolve(connection))
      socket.on('error', reject)
    })
  }

  /** Sends bytes with `count` commands; returns their replies. */
  exchange(bytes: Uint8Array, count: number): Promise<Uint8Array[]> {
    if (this.failure) return Promise.reject(this.failure)
    this.replies = []
    this.wanted = count
    const replies = new Promise<Uint8Array[]>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          this.fail(new ServerFailure(`${this.label} does not answer (${this.replies.length} of ${count} replies)`)),
        REPLY_WAIT_MS,
      )
      this.settle = failure => {
        clearTimeout(timer)
        this.settle = undefined
        if (failure) reject(failure)
        else resolve(this.replies)
      }
    })
    this.socket.write(bytes)
    return replies
  }

  async call(...words: string[]): Promise<PlainValue> {
    const [reply] = await this.exchange(encodeCommand(words), 1)
    return plain(parseReply(reply, 0))
  }

  close(): void {
    this.socket.destroy()
  }

  private received(bytes: Uint8Array): void {
    const u8 = this.buffer.length === 0 ? bytes : Buffer.concat([this.buffer, bytes])
    let at = 0
    for (let end = replyEnd(u8, at, u8.length); end >= 0; end = replyEnd(u8, at, u8.length)) {
      if (u8[at] !== 0x3e) this.replies.push(u8.subarray(at, end))
      at = end
    }
    this.buffer = u8.subarray(at)
    if (this.replies.length >= this.wanted) this.settle?.()
  }

  private fail(failure: Error): void {
    this.failure ??= failure
    this.settle?.(failure)
  }
}
