// The real machine, on Bun and on Node, on every operating system. One call makes one System; only the working
// directory is its own, the rest is the process's.

import { performance } from 'node:perf_hooks'
import type { Network } from './network.ts'
import { realDisk } from './real-disk.ts'
import { realProcess } from './real-process.ts'
import { type Clock, type Random, type System, TIMER_MS_MAX, type Timer, type Timers } from './system.ts'

interface RealSystemOptions {
  /** The process belongs to this server alone: its working directory follows `disk.chdir`. */
  ownProcess?: boolean
}

/** `network`: the runtime's, from net/. */
export function realSystem(network: Network, options: RealSystemOptions = {}): System {
  return {
    network,
    clock: realClock(),
    random: realRandom(),
    timers: realTimers,
    disk: realDisk(options.ownProcess === true),
    process: realProcess(),
  }
}

/** Drift between the two clocks at which nowUs is set to the wall clock again. */
const DRIFT_MAX_US = 2000
/** So often the wall clock is read for that: a read of a clock is a tenth of a TIME. */
const CHECK_EVERY_US = 1000

function realClock(): Clock {
  let anchorUs = Date.now() * 1000 - performance.now() * 1000
  let checkDueUs = 0
  return {
    nowMs: Date.now,
    nowUs() {
      const ownUs = performance.now() * 1000
      if (ownUs >= checkDueUs) {
        checkDueUs = ownUs + CHECK_EVERY_US
        const driftUs = Date.now() * 1000 - (anchorUs + ownUs)
        if (Math.abs(driftUs) > DRIFT_MAX_US) anchorUs += driftUs
      }
      return Math.floor(anchorUs + ownUs)
    },
    monotonicUs: () => performance.now() * 1000,
    utcOffsetMinutes: atMs => -new Date(atMs).getTimezoneOffset(),
    sleepMs: ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
  }
}

/** Random numbers that are fetched at once: a few for the start of a server, then many. */
const POOL_START = 128
const POOL_MAX = 1024
/** So many bytes, of an id for instance, come from there as well. */
const POOL_BYTES_MAX = 32

function realRandom(): Random {
  // A pool, because one call into the runtime's generator costs a microsecond whatever its size.
  let pool = new Uint32Array(POOL_START)
  let used = pool.length
  let isFilled = false
  const u32 = () => {
    if (used === pool.length) {
      if (isFilled && pool.length < POOL_MAX) pool = new Uint32Array(POOL_MAX)
      isFilled = true
      globalThis.crypto.getRandomValues(pool)
      used = 0
    }
    return pool[used++]
  }
  return {
    u32,
    unit: () => (u32() * 0x200000 + (u32() >>> 11)) / 2 ** 53,
    bytes(length) {
      const bytes = new Uint8Array(length)
      if (length <= POOL_BYTES_MAX) {
        for (let i = 0; i < length; i++) bytes[i] = u32() & 0xff
        return bytes
      }
      // getRandomValues serves at most 65536 bytes a call.
      for (let at = 0; at < length; at += 65536) globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65536))
      return bytes
    },
  }
}

const asTimer = (handle: unknown) => handle as Timer

const realTimers: Timers = {
  after: (ms, fn) => asTimer(setTimeout(fn, Math.min(ms, TIMER_MS_MAX))),
  every: (ms, fn) => asTimer(setInterval(fn, ms)),
  // Either call cancels either kind on both runtimes.
  cancel: timer => clearTimeout(timer as unknown as ReturnType<typeof setTimeout>),
  soon: fn => void setImmediate(fn),
}
