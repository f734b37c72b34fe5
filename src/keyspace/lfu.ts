// LFU: Redis's logarithmic access counter (u8) with the minute of its last decay (u16).

export const LFU_INIT = 5

/** The counter after decay over the minutes since `then`, both modulo 2^16. */
export function lfuDecayed(counter: number, then: number, now: number, decayMinutes: number): number {
  if (decayMinutes === 0) return counter
  const periods = Math.floor(((now - then) & 0xffff) / decayMinutes)
  return periods > counter ? 0 : counter - periods
}

/** The counter after one more access; `random` is an unsigned 32-bit integer. */
export function lfuIncremented(counter: number, logFactor: number, random: number): number {
  if (counter === 255) return 255
  const chance = 1 / (Math.max(0, counter - LFU_INIT) * logFactor + 1)
  return random / 0x100000000 < chance ? counter + 1 : counter
}
