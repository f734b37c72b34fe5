// Unwind: an exception that must not be caught as a fault: a simulated machine that stops, a server that has failed.

export class Unwind extends Error {}

/** Of whatever was thrown, a proxy that throws included. */
export function isUnwind(error: unknown): error is Unwind {
  try {
    return error instanceof Unwind
  } catch {
    return false
  }
}
