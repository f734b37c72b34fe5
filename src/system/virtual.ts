// A made-up machine: a clock that stands until it is moved, chance from a seed, a disk in memory. What runs on it
// runs the same way every time.
//
//   const machine = virtualSystem({ seed: 7 })
//   start(machine.system); machine.advance(1500)    // fires every timer due in the next 1.5 s, in order

import { Unwind } from '../lib/unwind.ts'
import type { Clock, ProcessView, Random, SignalName, System, Timer, Timers } from './system.ts'
import { VirtualDisk } from './virtual-disk.ts'

export interface VirtualOptions {
  seed?: number
  /** Wall clock at the start. */
  startMs?: number
  cwd?: string
}

interface Pending {
  dueMs: number
  order: number
  periodMs: number
  fn: () => void
}

/** Thrown by `process.exit`, so that nothing after it runs, as on a real machine. */
export class VirtualExit extends Unwind {
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

export class VirtualMachine {
  readonly disk: VirtualDisk
  readonly system: System
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
  #nowMs: number
  readonly #startMs: number
  #order = 0
  /** How often a process began here. */
  #lives = 1
  #pending: Pending[] = []
  #soon: (() => void)[] = []
  #signals = new Map<SignalName, () => void>()
  #onCrash: (error: unknown) => void = error => {
    throw error
  }
  /** How often the process started itself again. */
  respawns = 0

  constructor(options: VirtualOptions) {
    this.#startMs = this.#nowMs = options.startMs ?? 1_700_000_000_000
    const timers = this.#timers()
    this.disk = new VirtualDisk(timers, () => this.#nowMs, options.cwd ?? '/')
    this.system = {
      clock: this.#clock(),
      random: seededRandom(options.seed ?? 1),
      timers,
      disk: this.disk,
      process: this.#process(),
    }
  }

  /** Moves the clock, firing what falls due on the way, each at its own moment. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    this.settle()
    for (;;) {
      let next: Pending | null = null
      for (const one of this.#pending)
        if (!next || one.dueMs < next.dueMs || (one.dueMs === next.dueMs && one.order < next.order)) next = one
      if (!next || next.dueMs > untilMs) break
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      if (next.periodMs > 0) {
        next.dueMs += next.periodMs
        next.order = this.#order++
      } else this.#pending.splice(this.#pending.indexOf(next), 1)
      next.fn()
      this.settle()
    }
    this.#nowMs = untilMs
  }

  /** Runs everything queued with `soon`, and what that queues. */
  settle(): void {
    while (this.#soon.length > 0) this.#soon.shift()!()
  }

  /** The process is gone: nothing that it had waiting happens. */
  forget(): void {
    this.#lives++
    this.#pending = []
    this.#soon.length = 0
  }

  signal(name: SignalName): void {
    this.#signals.get(name)?.()
  }

  crash(error: unknown): void {
    this.#onCrash(error)
  }

  #clock(): Clock {
    return {
      nowMs: () => Math.floor(this.#nowMs),
      nowUs: () => Math.floor(this.#nowMs * 1000),
      monotonicUs: () => (this.#nowMs - this.#startMs) * 1000,
      utcOffsetMinutes: () => 0,
      sleepMs: ms => {
        this.#nowMs += ms
      },
    }
  }

  #timers(): Timers {
    const add = (ms: number, fn: () => void, periodMs: number) => {
      const pending = { dueMs: this.#nowMs + ms, order: this.#order++, periodMs, fn }
      this.#pending.push(pending)
      return pending as unknown as Timer
    }
    return {
      after: (ms, fn) => add(ms, fn, 0),
      every: (ms, fn) => add(ms, fn, Math.max(ms, 1)),
      cancel: timer => {
        this.#pending = this.#pending.filter(one => one !== (timer as unknown as Pending))
      },
      soon: fn => void this.#soon.push(fn),
    }
  }

  #process(): ProcessView {
    const text = new TextDecoder()
    const identity = () => `4242:${this.#lives}`
    return {
      pid: 4242,
      get identity() {
        return identity()
      },
      isRunning: other => other === identity(),
      runtime: 'virtual 0',
      os: 'Virtual 0 x86_64',
      platform: 'virtual',
      totalMemoryBytes: 16 * 2 ** 30,
      rssBytes: () => 64 * 2 ** 20,
      cpuUsage: () => ({ userUs: 0, systemUs: 0 }),
      stdout: bytes => {
        this.out += text.decode(bytes)
      },
      stderr: bytes => {
        this.err += text.decode(bytes)
      },
      stdoutIsTerminal: () => false,
      stderrIsTerminal: () => this.stderrIsTerminal,
      readStdin: () => this.stdin,
      readLine: () => this.typed.shift(),
      exit: code => {
        this.exitCode ??= code
        throw new VirtualExit(code)
      },
      onSignal: (name, fn) => void this.#signals.set(name, fn),
      yieldToSignal: name => {
        this.#signals.delete(name)
        this.endedBy = name
      },
      setTitle: title => {
        this.title = title
      },
      env: name => this.environment[name],
      allocate: bytes => new ArrayBuffer(bytes),
      collectGarbage() {},
      onCrash: fn => {
        this.#onCrash = fn
      },
      respawnDetached: () => {
        this.respawns++
      },
    }
  }
}

export function virtualSystem(options: VirtualOptions = {}): VirtualMachine {
  return new VirtualMachine(options)
}

/** sfc32 (PractRand's small fast counter): 128 bits of state, good enough for every use here but secrets. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed >>> 0
  let counter = 1
  const u32 = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first outputs still show the seed's pattern.
  for (let i = 0; i < 15; i++) u32()
  return {
    u32,
    unit: () => (u32() * 0x200000 + (u32() >>> 11)) / 2 ** 53,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = u32() >>> 24
      return bytes
    },
  }
}
