// Fleet: servers on machines of a virtual world, clients that send them random commands over its network, and faults,
// all from one seed: partitions, slow links, torn and broken connections, kills, power failures, slow disks, stalled
// machines, clocks that drift and jump. Its result is a hash of everything that happened.
//
// run.ts is its command line.

import { Config } from '../../src/config/config.ts'
import { loadText } from '../../src/config/parser.ts'
import { Logger } from '../../src/server/log.ts'
import { Server } from '../../src/server/server.ts'
import { dialing, type Outgoing } from '../../src/system/network.ts'
import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import type { VirtualMachine } from '../../src/system/virtual.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { configText } from '../harness/machine.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import { encodeCommand, type Word } from '../harness/resp.ts'

const PORT = 6379
const MACHINES = 3
/** Virtual time of one run. */
const RUN_MS = 1500
const FAULTS = 5
/** Delay before the restart of a server whose startup failed. */
const RESTART_MS = 300
const COMMAND_MS_MAX = 40
const ITEMS_MAX = 20
const BASE = { port: String(PORT), bind: '*', 'protected-mode': 'no', save: '', appendonly: 'yes' }
const POLICIES = ['always', 'everysec', 'no']

export interface FleetResult {
  digest: string
  /** Bytes of replies received by clients: shows that the run did something. */
  replyBytes: number
  commands: number
  faults: string[]
}

export async function runFleet(seed: number): Promise<FleetResult> {
  const fleet = new Fleet(seed)
  await fleet.world.run(RUN_MS)
  const { replyBytes, commands, faults } = fleet
  return { digest: fleet.world.trace!.digest, replyBytes, commands, faults }
}

class Fleet {
  readonly world: VirtualWorld
  replyBytes = 0
  commands = 0
  readonly faults: string[] = []
  private readonly random: Random
  /** Machines without a running server. */
  private readonly down = new Set<VirtualMachine>()

  constructor(seed: number) {
    this.world = new VirtualWorld({ seed, trace: true })
    this.random = seededRandom(partSeed(seed, 77))
    this.world.network.link.tearsPerMillion = 20_000
    this.world.network.link.resetsPerMillion = 2_000
    for (let i = 0; i < MACHINES; i++) {
      const machine = this.world.machine(`server${i}`)
      machine.disk.latencyMs = () => this.below(3)
      machine.time.drift(this.below(200) - 100)
      this.serve(machine)
    }
    for (let i = 0; i < MACHINES; i++) this.startClient(i)
    for (let i = 0; i < FAULTS; i++) this.world.at(this.below(RUN_MS), () => this.fault())
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  /** Starts a server on the machine's disk. */
  private serve(machine: VirtualMachine): void {
    const config = new Config(machine.disk)
    const directives = { ...BASE, appendfsync: POLICIES[machine.pid % POLICIES.length] }
    loadText(config, configText(directives))
    const server = new Server(config, machine.system, new Logger(machine.system, config))
    const start = async () => {
      await server.listen()
      await server.load()
    }
    // A server killed meanwhile never finishes its startup.
    start().catch((error: Error) => {
      this.faults.push(error.message.split('\n')[0])
      this.world.at(0, () => this.restart(machine, RESTART_MS, () => machine.kill()))
    })
  }

  // ---- clients ----

  private startClient(index: number): void {
    const machine = this.world.machine(`client${index}`)
    const commands = new RandomCommands(seededRandom(partSeed(this.below(2 ** 30), index)), 10, 2, ITEMS_MAX)
    void this.talk(machine, index, commands)
  }

  /** Connects repeatedly, each time to a random server, and sends commands until disconnected. */
  private async talk(machine: VirtualMachine, index: number, commands: RandomCommands): Promise<void> {
    const { timers, network } = machine.system
    const pause = (ms: number) => new Promise<void>(resolve => void timers.after(ms, resolve))
    const dial = dialing(network)
    for (;;) {
      const host = `server${this.below(4) === 0 ? this.below(MACHINES) : index}`
      try {
        await this.send(await dial({ host, port: PORT }, 300), commands, pause)
      } catch {
        await pause(50)
      }
    }
  }

  private async send(link: Outgoing, commands: RandomCommands, pause: (ms: number) => Promise<void>): Promise<void> {
    let isOpen = true
    link.onData = bytes => {
      this.replyBytes += bytes.length
    }
    link.onClose = () => {
      isOpen = false
    }
    while (isOpen) {
      link.write(encodeCommand(this.below(30) === 0 ? this.migrate() : commands.next()))
      this.commands++
      await pause(this.below(COMMAND_MS_MAX))
      if (this.below(60) === 0) link.close()
    }
  }

  /** A command that makes the server dial another one. */
  private migrate(): Word[] {
    return ['migrate', `10.0.0.${1 + this.below(MACHINES)}`, String(PORT), `s${this.below(10)}`, '0', '200', 'copy']
  }

  // ---- faults ----

  private fault(): void {
    const { network, machines } = this.world
    const machine = machines[this.below(MACHINES)]
    const other = machines[this.below(machines.length)]
    const lastsMs = 20 + this.below(500)
    const kind = this.below(8)
    this.faults.push(['partition', 'cut', 'kill', 'power', 'disk', 'jump', 'stall', 'link'][kind])
    if (kind === 0) this.partition(machine, lastsMs)
    else if (kind === 1) {
      network.cut(machine.host, other.host)
      this.world.at(lastsMs, () => network.heal(machine.host, other.host))
    } else if (kind === 2) this.restart(machine, lastsMs, () => machine.kill())
    else if (kind === 3) this.restart(machine, lastsMs, () => machine.powerOff(this.random))
    else if (kind === 4) machine.disk.latencyMs = () => this.below(100)
    else if (kind === 5) machine.time.jump(this.below(20_000) - 10_000)
    else if (kind === 6) machine.time.stall(lastsMs)
    else network.setLink(machine.host, other.host, { bytesPerSecond: 20_000, latencyUs: this.below(50_000) })
  }

  private partition(machine: VirtualMachine, lastsMs: number): void {
    const { network, machines } = this.world
    const others = machines.filter(one => one !== machine && this.below(3) > 0).map(one => one.host)
    network.partition([machine.host], others)
    this.world.at(lastsMs, () => network.heal())
  }

  private restart(machine: VirtualMachine, lastsMs: number, end: () => void): void {
    if (this.down.has(machine)) return
    this.down.add(machine)
    end()
    this.world.at(lastsMs, () => {
      this.down.delete(machine)
      machine.powerOn()
      this.serve(machine)
    })
  }
}
