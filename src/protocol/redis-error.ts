// RedisError: an error reply as what a program catches.

/** A server's error. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
  /** The first word of the reply: 'WRONGTYPE', 'NOSCRIPT', 'ERR' … */
  readonly code: string
  /** Of a transaction: what each of its commands replied, this error included. */
  replies: unknown[] | undefined

  constructor(text: string) {
    super(text)
    const end = text.indexOf(' ')
    this.code = end < 0 ? text : text.slice(0, end)
  }
}
