// A made-up machine: a clock that stands until it is moved, chance from a seed, a disk in memory, a network without
// sockets. What runs on it runs the same way every time.
//
//   const machine = virtualSystem({ seed: 7 })
//   start(machine.system); machine.advance(1500)    // fires every timer due in the next 1.5 s, in order
//
// Several machines that share time and a network are a VirtualWorld (virtual-world.ts).

import { seededRandom } from './random.ts'
import { Scheduler } from './scheduler.ts'
import type { Random, SignalName, System } from './system.ts'
import { VirtualClock } from './virtual-clock.ts'
import { VirtualDisk } from './virtual-disk.ts'
import type { VirtualHost } from './virtual-host.ts'
import { VirtualNetwork } from './virtual-network.ts'
import { type ProcessRecord, virtualProcess } from './virtual-process.ts'

export { seededRandom } from './random.ts'
export { VirtualExit } from './virtual-process.ts'

export interface VirtualOptions {
  seed?: number
  /** Wall clock at the start. */
  startMs?: number
  cwd?: string
}

/** What a machine of a world is given by it. */
interface MachinePlace {
  scheduler: Scheduler
  network: VirtualNetwork
  number: number
  address: string
}

export class VirtualMachine implements ProcessRecord {
  readonly disk: VirtualDisk
  readonly host: VirtualHost
  readonly system: System
  readonly time: VirtualClock
  readonly pid: number
  lives = 1
  /** What was written to standard output and standard error. */
  out = ''
  err = ''
  stdin: Uint8Array = new Uint8Array(0)
  /** Lines that are typed when asked for. */
  readonly typed: string[] = []
  stderrIsTerminal = false
  exitCode: number | null = null
  /** The signal that was let through. */
  endedBy: SignalName | '' = ''
  title = ''
  readonly environment: { [name: string]: string } = {}
  /** How often the process started itself again. */
  respawns = 0
  readonly signals = new Map<SignalName, () => void>()
  onCrash: ((error: unknown) => void) | undefined
  readonly #scheduler: Scheduler

  constructor(options: VirtualOptions, place: MachinePlace = alone(options.seed ?? 1)) {
    this.#scheduler = place.scheduler
    this.pid = 4242 + place.number
    this.time = new VirtualClock(place.scheduler, place.number, options.startMs ?? 1_700_000_000_000)
    const { clock, timers } = this.time
    this.disk = new VirtualDisk(timers, () => clock.nowMs(), options.cwd ?? '/')
    this.host = place.network.attach(this.time, this.disk, place.address)
    this.system = {
      clock,
      random: seededRandom(options.seed ?? 1),
      timers,
      disk: this.disk,
      network: this.host,
      process: virtualProcess(this),
    }
  }

  /** Moves the clock, firing what falls due on the way, each at its own moment. */
  advance(ms: number): void {
    this.#scheduler.advance(Math.round(this.time.worldUs + ms * 1000))
  }

  /** Runs everything that is due now, and what that makes due. */
  settle(): void {
    this.#scheduler.advance(this.time.worldUs)
  }

  /** The process is gone: nothing that it had waiting happens. */
  forget(): void {
    this.lives++
    this.#scheduler.forget(this.time)
    this.host.processEnded()
    this.signals.clear()
    this.onCrash = undefined
  }

  /** The process dies, as of kill -9: what it has written stays, and the operating system closes its connections. */
  kill(): void {
    this.forget()
    this.disk.abandon()
  }

  /** The power goes: the disk keeps what was made durable (with chance, some more); who was connected hears nothing. */
  powerOff(random?: Random): void {
    this.host.powerOff()
    this.forget()
    this.disk.crash(random)
  }

  /** The machine is there again, for a new process. */
  powerOn(): void {
    this.time.boot()
    this.host.powerOn()
  }

  signal(name: SignalName): void {
    this.signals.get(name)?.()
  }

  crash(error: unknown): void {
    if (this.onCrash === undefined) throw error
    this.onCrash(error)
  }
}

export function virtualSystem(options: VirtualOptions = {}): VirtualMachine {
  return new VirtualMachine(options)
}

/** A machine in a world of its own. */
function alone(seed: number): MachinePlace {
  const scheduler = new Scheduler(seed)
  return { scheduler, network: new VirtualNetwork(scheduler, seed), number: 0, address: '10.0.0.1' }
}
