// A server in its own process, ours or redis-server, in a folder chosen by the test; and plain connections to it.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { encodeCommand, type PlainValue, parseReply, plain, ReplyReader, type Word } from './resp.ts'
import { freePort, sleep, untilListening } from './target.ts'

const LOAD_MS_MAX = 30_000

export class PlainConnection {
  private readonly socket: Socket
  private readonly reader = new ReplyReader()
  private readonly waiting: ((reply: PlainValue) => void)[] = []
  /** Settles when the connection has ended. */
  readonly closed: Promise<undefined>

  /** `pushed` is called for each reply that no call waits for: messages of a subscriber. */
  constructor(port: number, pushed?: () => void, host = '127.0.0.1') {
    this.socket = connect({ port, host, noDelay: true })
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => this.socket.on('close', () => resolve(undefined)))
    this.socket.on('data', bytes => {
      this.reader.push(bytes)
      for (let reply = this.reader.next(); reply !== undefined; reply = this.reader.next())
        if (this.waiting.length === 0) pushed?.()
        else this.waiting.shift()!(plain(parseReply(reply, 0)))
    })
  }

  /** The reply; never settles when the server ends first. */
  call(...words: Word[]): Promise<PlainValue> {
    this.socket.write(encodeCommand(words))
    return new Promise(resolve => this.waiting.push(resolve))
  }

  close(): void {
    this.socket.destroy()
  }
}

export class ServerProcess {
  readonly port: number
  /** The address it binds to. */
  readonly host: string
  readonly connection: PlainConnection
  /** Resolves when it ends: to its exit code or signal. */
  readonly ended: Promise<number | string>
  private readonly child: ChildProcess
  private readonly folder: string

  private constructor(child: ChildProcess, host: string, port: number, folder: string) {
    this.child = child
    this.host = host
    this.port = port
    this.folder = folder
    this.connection = new PlainConnection(port, undefined, host)
    const { exitCode, signalCode } = child
    this.ended = new Promise(resolve => {
      if (exitCode !== null || signalCode !== null) resolve(exitCode ?? signalCode!)
      else child.once('exit', (code, signal) => resolve(code ?? signal!))
    })
  }

  /** Starts a server and waits until it has loaded. `command`: a command line that accepts redis-server's options. */
  static async start(
    command: string,
    folder: string,
    directives: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> {
    const server = await ServerProcess.launch(command, folder, directives)
    await server.untilLoaded()
    return server
  }

  /** Starts a server and waits until it accepts connections. */
  static async launch(
    command: string,
    folder: string,
    directives: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> {
    const port = directives.port === undefined ? await freePort() : Number(directives.port)
    const host = directives.bind ?? '127.0.0.1'
    const all = { port: String(port), bind: host, dir: folder, logfile: join(folder, 'log'), ...directives }
    const options = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    const [program, ...rest] = command.split(' ')
    const child = spawn(program, [...rest, ...options], { stdio: ['ignore', 'ignore', 'inherit'] })
    await untilListening(port, child, host)
    return new ServerProcess(child, host, port, folder)
  }

  get pid(): number {
    return this.child.pid!
  }

  async untilLoaded(): Promise<void> {
    const deadlineMs = performance.now() + LOAD_MS_MAX
    while ((await Promise.race([this.call('PING'), this.ended])) !== 'PONG') {
      if (this.child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`it does not load: ${this.log}`)
      await sleep(10)
    }
  }

  /** The end of the server's log. */
  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'latin1').slice(-4000)
  }

  call(...words: Word[]): Promise<PlainValue> {
    return this.connection.call(...words)
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** Sends SIGKILL. */
  async kill(): Promise<void> {
    this.connection.close()
    this.signal('SIGKILL')
    await this.ended
  }
}
