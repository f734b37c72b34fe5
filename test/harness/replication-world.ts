// Servers on machines of a virtual world that replicate from each other over its network.

import { Config } from '../../src/config/config.ts'
import { loadText } from '../../src/config/parser.ts'
import { datasetDigest } from '../../src/keyspace/digest.ts'
import type { ConnectedReplicas } from '../../src/replication/replicas.ts'
import type { StartServerOptions } from '../../src/server/launch.ts'
import { Logger } from '../../src/server/log.ts'
import { Server } from '../../src/server/server.ts'
import type { VirtualMachine } from '../../src/system/virtual.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { configText } from './machine.ts'
import { encodeCommand, type PlainValue, takeReplies, type Word } from './resp.ts'
import { tallyModule } from './tally-module.ts'

const PORT = 6379
const BASE = {
  bind: '*',
  'protected-mode': 'no',
  save: '',
  'repl-diskless-sync-delay': '0',
  'repl-ping-replica-period': '1',
  'enable-debug-command': 'yes',
}

/** A server of the world, with one connection of the test's. */
export class WorldServer {
  readonly machine: VirtualMachine
  server!: Server
  private readonly world: VirtualWorld
  private readonly directives: Readonly<Record<string, string>>
  private readonly options: Pick<StartServerOptions, 'newCluster' | 'arenaStartBytes'>
  private socket!: ReturnType<Server['memory']['connect']>
  private received: number[] = []

  constructor(
    world: VirtualWorld,
    machine: VirtualMachine,
    directives: Readonly<Record<string, string>>,
    options: Pick<StartServerOptions, 'newCluster' | 'arenaStartBytes'> = {},
  ) {
    this.world = world
    this.machine = machine
    this.directives = directives
    this.options = options
  }

  /** Starts it with the files of its machine. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.world.until(this.begin(more))
  }

  /** As start(), inside a running world. */
  async begin(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { system, disk } = this.machine
    const config = new Config(disk)
    const all = { ...BASE, ...this.directives, ...more }
    loadText(config, configText(all))
    this.server = new Server(config, system, new Logger(system, config), {
      modules: [{ module: tallyModule() }],
      ...this.options,
    })
    await this.server.listen()
    await this.server.load()
    this.received = []
    this.socket = this.server.memory.connect()
    this.socket.onData = piece => {
      for (const byte of piece) this.received.push(byte)
    }
  }

  /** Writes a command; its reply is the next one of taken(). */
  send(...words: Word[]): void {
    this.socket.write(encodeCommand(words))
  }

  /** Takes the replies that have come. */
  taken(): PlainValue[] {
    return takeReplies(this.received)
  }

  /** Runs a command and returns its reply; time passes until it comes. */
  async call(...words: Word[]): Promise<PlainValue> {
    this.send(...words)
    await this.world.run(10_000, () => this.received.length > 0)
    return this.taken()[0]
  }

  /** A line of commands. */
  say(line: string): Promise<PlainValue> {
    return this.call(...line.split(' '))
  }

  async info(field: string): Promise<string> {
    const text = String(await this.call('INFO', 'everything'))
    return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? ''
  }

  get digest(): string {
    return datasetDigest(this.server.engine.keyspace)
  }

  /** Its log. */
  get log(): string {
    return this.machine.out
  }

  get isLinked(): boolean {
    return this.server.engine.replicas.following.state === 'connected'
  }

  get offset(): number {
    return this.server.engine.replicas.offset
  }

  /** The history that its offset is of. */
  get replid(): string {
    return (this.server.engine.replicas as ConnectedReplicas).stream.replid
  }

  /** Ends it like kill -9. */
  kill(): void {
    this.machine.kill()
    this.machine.powerOn()
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await this.world.until(this.server.shutdown())
    this.kill()
  }

  async follow(primary: WorldServer): Promise<void> {
    await this.call('REPLICAOF', primary.machine.host.address, PORT)
  }
}

export class ReplicationWorld {
  readonly world: VirtualWorld
  readonly servers: WorldServer[] = []

  constructor(seed: number) {
    this.world = new VirtualWorld({ seed })
  }

  async start(directives: Readonly<Record<string, string>> = {}): Promise<WorldServer> {
    const server = new WorldServer(this.world, this.world.machine(`server${this.servers.length}`), directives)
    await server.start()
    this.servers.push(server)
    return server
  }

  /** Lets time pass until the replica has everything of its primary. */
  async caughtUp(primary: WorldServer, ...replicas: WorldServer[]): Promise<boolean> {
    const isAt = (one: WorldServer) => one.replid === primary.replid && one.offset === primary.offset
    const isDone = () => replicas.every(one => one.isLinked && isAt(one))
    await this.world.run(60_000, isDone)
    return isDone()
  }

  cut(a: WorldServer, b: WorldServer): void {
    this.world.network.partition([a.machine.host], [b.machine.host])
  }

  heal(): void {
    this.world.network.heal()
  }
}
