// A virtual machine: a clock that advances on request, seeded random numbers, a disk in memory, a network without
// sockets. A program runs on it the same way every time.
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
import { type ProcessRecord, VirtualPrograms, virtualProcess } from './virtual-process.ts'

export { seededRandom } from './random.ts'
export { VirtualExit } from './virtual-process.ts'

export interface VirtualOptions {
  seed?: number
  /** Wall clock at the start. */
  startMs?: number
  cwd?: string
}

/** The parts that a machine gets from its world. */
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
  /** Standard output and standard error. */
  out = ''
  err = ''
  stdin: Uint8Array = new Uint8Array(0)
  /** Lines of standard input. */
  readonly typed: string[] = []
  stderrIsTerminal = false
  exitCode: number | null = null
  /** The signal whose default action ended the process. */
  endedBy: SignalName | '' = ''
  title = ''
  readonly environment: { [name: string]: string } = {}
  /** Number of times that the process started itself again. */
  respawns = 0
  readonly spawned: ProcessRecord['spawned'] = []
  readonly programs = new VirtualPrograms()
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

  /** Advances the clock and runs events on the way, each at its own time. */
  advance(ms: number): void {
    this.#scheduler.advance(Math.round(this.time.worldUs + ms * 1000))
  }

  /** Runs everything that is due now, and what becomes due by it. */
  settle(): void {
    this.#scheduler.advance(this.time.worldUs)
  }

  /** The process has ended: its pending events are dropped. */
  forget(): void {
    this.lives++
    this.#scheduler.forget(this.time)
    this.host.processEnded()
    this.signals.clear()
    this.onCrash = undefined
  }

  /** kill -9: the process's writes stay, and the operating system closes its connections. */
  kill(): void {
    this.forget()
    this.disk.abandon()
  }

  /** A power failure: durable data stays (with `random` some more); peers get no packet. */
  powerOff(random?: Random): void {
    this.host.powerOff()
    this.forget()
    this.disk.crash(random)
  }

  /** Boots the machine, for a new process. */
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
