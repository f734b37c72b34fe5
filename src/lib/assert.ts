// assert: for what must hold between constants, checked once when a file is loaded.

export function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(`assertion failed: ${what}`)
}
