// A server in the process of another program must not end that process: whatever the system and the network call in
// the server is called under a guard, and an exception there ends that server alone.
//
// Always: `guard` runs its work at once and throws nothing. Promises are not covered: the server makes none per event.

import type { FileSystem, System, Timers } from '../system/system.ts'

type Guard = (work: () => void) => void

/** The same System; its callbacks are guarded. */
export function guardedSystem(system: System, guard: Guard): System {
  return { ...system, timers: guardedTimers(system.timers, guard), disk: guardedDisk(system.disk, guard) }
}

function guardedTimers(timers: Timers, guard: Guard): Timers {
  return {
    after: (ms, fn) => timers.after(ms, () => guard(fn)),
    every: (ms, fn) => timers.every(ms, () => guard(fn)),
    cancel: timer => timers.cancel(timer),
    soon: fn => timers.soon(() => guard(fn)),
  }
}

const LATER = new Set<string | symbol>([
  'readLater',
  'writeLater',
  'fsyncLater',
  'fdatasyncLater',
  'closeLater',
  'renameLater',
  'unlinkLater',
  'fsyncDirLater',
])

type Method = (...args: unknown[]) => unknown

/** The *Later forms have their callback last. */
function guardedDisk(disk: FileSystem, guard: Guard): FileSystem {
  const methods = new Map<string | symbol, Method>()
  const methodOf = (name: string | symbol): Method => {
    const plain = (Reflect.get(disk, name) as Method).bind(disk)
    if (!LATER.has(name)) return plain
    return (...args) => {
      const done = args.pop() as Method
      return plain(...args, (...results: unknown[]) => guard(() => done(...results)))
    }
  }
  return new Proxy(disk, {
    get(_disk, name) {
      let method = methods.get(name)
      if (method === undefined) methods.set(name, (method = methodOf(name)))
      return method
    },
  })
}
