// Seeded randomness of random programs.

export interface Chance {
  /** 0 <= result < n. */
  below(n: number): number
  pick<T>(list: readonly T[]): T
}

/** One of the pieces. */
export function oneOf(chance: Chance, makers: readonly (() => string)[]): string {
  return chance.pick(makers)()
}
