// In the thread: makes the server, and does what the program asks for.

import type { ThreadChannel } from '../system/thread.ts'
import type { EmbeddedServer, MemorySocket } from './server.ts'
import type { Snapshot } from './state.ts'
import {
  asMessage,
  type ForkSeed,
  type FromThread,
  type Outcome,
  type ThreadCall,
  type ThreadOptions,
  type ToThread,
} from './worker-messages.ts'
import { TroubleHost } from './worker-trouble-host.ts'

type Create = (options: ThreadOptions & { onError(error: Error): void }) => Promise<EmbeddedServer>

export function serveThread(channel: ThreadChannel, create: Create): void {
  const host = new ThreadHost(channel, create)
  channel.onMessage = message => host.received(message as ToThread)
}

class ThreadHost {
  private readonly channel: ThreadChannel
  private readonly create: Create
  private server: EmbeddedServer | undefined
  private readonly sockets = new Map<number, MemorySocket>()
  /** Writes of a connection that the server has not taken. */
  private readonly held = new Map<number, number>()
  private readonly snapshots: Snapshot[] = []
  private trouble: TroubleHost | undefined

  constructor(channel: ThreadChannel, create: Create) {
    this.channel = channel
    this.create = create
  }

  received(message: ToThread): void {
    if ('to' in message) return this.connection(message)
    if ('sync' in message) return this.channel.answer(this.outcome(message.sync))
    if ('trouble' in message) return this.trouble?.change(message.trouble)
    const { id, call, args } = message
    this.done(call, args).then(
      value => this.post({ id, value }, value instanceof Uint8Array ? value : undefined),
      error => this.post({ id, error: asMessage(error) }),
    )
  }

  private outcome(asked: Extract<ToThread, { sync: unknown }>['sync']): Outcome {
    try {
      const server = this.existing()
      if (asked === 'recorded') return { value: server.history.commands }
      const [name, ...args] = asked
      return { value: this.trouble?.alone(() => server.callSync(name as string, ...(args as never[]))) }
    } catch (error) {
      return { error: asMessage(error) }
    }
  }

  private post(message: FromThread, bytes?: Uint8Array): void {
    this.trouble?.flush()
    this.channel.post(message, bytes)
  }

  private connection({ to, open, bytes, reads, close }: Extract<ToThread, { to: number }>): void {
    try {
      if (open) this.open(to)
      const socket = this.sockets.get(to)
      if (bytes !== undefined) {
        if (socket?.write(bytes) === false) this.held.set(to, (this.held.get(to) ?? 0) + 1)
        else this.post({ to, drained: 1 })
      }
      if (reads === false) socket?.pause()
      if (reads === true) socket?.resume()
      if (!close) return
      this.sockets.delete(to)
      this.held.delete(to)
      socket?.close()
    } catch {
      // The server is closed.
      this.post({ to, closed: true })
    }
  }

  private open(to: number): void {
    const socket = this.existing().connect()
    this.sockets.set(to, socket)
    socket.onData = bytes => this.post({ to, bytes }, bytes)
    socket.onDrain = () => {
      const drained = this.held.get(to) ?? 0
      this.held.delete(to)
      this.post({ to, drained })
    }
    socket.onClose = () => {
      this.sockets.delete(to)
      this.held.delete(to)
      this.post({ to, closed: true })
    }
  }

  private existing(): EmbeddedServer {
    if (this.server === undefined) throw new Error('the server is not made yet')
    return this.server
  }

  private async done(call: ThreadCall, args: readonly unknown[]): Promise<unknown> {
    if (call === 'create') {
      const options = args[0] as ThreadOptions
      this.server = await this.create({ ...options, onError: error => this.post({ failed: asMessage(error) }) })
      this.trouble = new TroubleHost(this.server, told => this.channel.post(told))
      return this.server.port
    }
    const server = this.existing()
    switch (call) {
      case 'listen':
        return [await server.listen(...(args as [number, string])), server.port === 0 ? '' : server.url]
      case 'close':
        return server.close()
      case 'rdb':
        return server.rdb()
      case 'toJSON':
        return server.toJSON(args[0] as object)
      case 'reset':
        return server.reset(args[0] as object)
      case 'snapshot': {
        const snapshot = server.snapshot()
        const { keys, bytes } = snapshot
        return { index: this.snapshots.push(snapshot) - 1, keys, bytes }
      }
      case 'restore':
        return server.restore(this.snapshots[args[0] as number])
      case 'forked':
        return { data: server.rdb(), nowMs: server.clock.now(), isStill: server.clock.isStill } satisfies ForkSeed
      case 'now':
        return server.clock.now()
      default:
        return server.clock[call](args[0] as never)
    }
  }
}
