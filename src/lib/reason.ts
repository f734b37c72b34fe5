// The text of what was thrown, which may be anything.

/** Of an object whose toString() throws, for instance. */
export const NO_TEXT = 'something that has no text'

/** The message of an error, as strerror's, or whatever else was thrown as text. */
export function reasonOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return NO_TEXT
  }
}
