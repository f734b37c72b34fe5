// VirtualWorld: several virtual machines that share time and a network. One seed determines everything.
//
//   const world = new VirtualWorld({ seed: 7 })
//   const a = world.machine('a'), b = world.machine('b')      // each finds the other by its name
//   world.at(500, () => world.network.partition([a.host], [b.host]))
//   await world.run(1000)                                      // promises run inside virtual time
//
// Always: actions on machines (kill, powerOff …) happen between their events: by `at`, or while time stands still.

import { partSeed, seededRandom } from './random.ts'
import { type EventOwner, Scheduler } from './scheduler.ts'
import type { Random } from './system.ts'
import { Trace } from './trace.ts'
import { VirtualExit, VirtualMachine, type VirtualOptions } from './virtual.ts'
import { VirtualNetwork } from './virtual-network.ts'

interface WorldOptions {
  seed?: number
  /** Default wall clock of machines at the start. */
  startMs?: number
  /** Computes a hash of everything that happens. */
  trace?: boolean
}

/** Events of the world itself belong to no machine. */
const WORLD: EventOwner = { number: 65535, busyUntilUs: 0 }

export class VirtualWorld {
  readonly scheduler: Scheduler
  readonly network: VirtualNetwork
  /** Random numbers for tests: independent of the machines'. */
  readonly random: Random
  readonly machines: VirtualMachine[] = []
  readonly trace: Trace | undefined
  private readonly seed: number
  private readonly startMs: number | undefined

  constructor(options: WorldOptions = {}) {
    this.seed = options.seed ?? 1
    this.startMs = options.startMs
    this.scheduler = new Scheduler(this.seed)
    this.network = new VirtualNetwork(this.scheduler, this.seed)
    this.random = seededRandom(partSeed(this.seed, WORLD.number))
    this.scheduler.onThrow = (error, owner) => this.thrown(error, owner)
    if (options.trace === true) this.trace = this.traced(new Trace())
  }

  /** Adds a machine, reachable by that name and by its address: 10.0.0.1 is the first one's. */
  machine(name: string, options: Omit<VirtualOptions, 'seed'> = {}): VirtualMachine {
    const number = this.machines.length
    const address = `10.0.${number >> 8}.${(number & 255) + 1}`
    const machine = new VirtualMachine(
      { startMs: this.startMs, ...options, seed: partSeed(this.seed, number) },
      { scheduler: this.scheduler, network: this.network, number, address },
    )
    this.machines.push(machine)
    this.network.setName(name, address)
    return machine
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.scheduler.nowUs / 1000
  }

  /** Calls `fn` so many milliseconds from now, between the events of machines. */
  at(ms: number, fn: () => void): void {
    this.scheduler.at(this.scheduler.nowUs + ms * 1000, WORLD, fn)
  }

  /** Advances time by `ms`, or less if `done` says so. Rejects with an exception of a machine. */
  run(ms: number, done?: () => boolean): Promise<void> {
    return this.scheduler.run(Math.ceil(this.scheduler.nowUs + ms * 1000), done)
  }

  /** Awaits the promise; time advances until it is settled, by `msMax` at most. */
  async until<Result>(promise: Promise<Result>, msMax = 60_000): Promise<Result> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await this.run(msMax, () => isSettled)
    if (!isSettled) throw new Error(`not settled after ${msMax} ms`)
    return promise
  }

  /** A process that exits is treated as a killed one: its machine continues. */
  private thrown(error: unknown, owner: EventOwner): boolean {
    if (!(error instanceof VirtualExit)) return false
    const machine = this.machines.find(one => one.time === owner)
    machine?.kill()
    return machine !== undefined
  }

  private traced(trace: Trace): Trace {
    this.scheduler.onEvent = event => {
      trace.add(event.dueUs)
      trace.add(event.owner.number)
      trace.add(event.order)
    }
    this.network.onArrival = (from, to, bytes) => {
      trace.add(from.number * 65536 + to.number)
      if (bytes !== undefined) trace.bytes(bytes)
    }
    return trace
  }
}
