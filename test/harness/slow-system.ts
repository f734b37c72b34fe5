// A machine whose clock goes on while the server works, so that work in slices ends them.

import type { System } from '../../src/system/system.ts'

/** `lookUs`: what each look at the monotonic clock takes. */
export function slowSystem(system: System, lookUs: number): System {
  const { clock } = system
  let extraUs = 0
  return {
    ...system,
    clock: {
      nowMs: () => clock.nowMs(),
      nowUs: () => clock.nowUs(),
      monotonicUs: () => clock.monotonicUs() + (extraUs += lookUs),
      utcOffsetMinutes: atMs => clock.utcOffsetMinutes(atMs),
      sleepMs: ms => clock.sleepMs(ms),
    },
  }
}
