// AwaitedLink: a PrimaryLink whose start is a promise and whose end is an error, for tools.
//
// Always: the link ends once, with the first error, including errors that the target throws.

import type { ClientSystem } from './connection.ts'
import { type CloseReason, errorOf } from './errors.ts'
import { type LinkOptions, type LinkTarget, PrimaryLink } from './primary-link.ts'
import type { ServerUrl } from './url.ts'

/** Receives the dataset and the stream of an AwaitedLink. May throw, which ends the link with that error. */
export interface AwaitedTarget {
  /** Before any data: the whole dataset may arrive at once. */
  opened?(link: PrimaryLink): void
  rdbBegins(bytes: number): void
  rdb(bytes: Uint8Array): void
  rdbEnds(): void
  stream(bytes: Uint8Array): void
}

/** A PrimaryLink whose start is awaited, and whose end is an error. */
export class AwaitedLink implements LinkTarget {
  private readonly target: AwaitedTarget
  private readonly server: string
  private readonly link: PrimaryLink
  private readonly started: Promise<void>
  private resolve!: () => void
  private reject!: (error: Error) => void
  /** Why the link ended; undefined while it lasts. */
  error: Error | undefined
  /** Called when the link ended, but not by close(). */
  onEnd: (error: Error) => void = () => {}

  private constructor(
    url: ServerUrl,
    options: Omit<LinkOptions, 'address'>,
    system: ClientSystem,
    target: AwaitedTarget,
  ) {
    this.target = target
    this.server = url.text
    this.started = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    const { address, user, password } = url
    this.link = new PrimaryLink(system, { address, user, password, ...options }, this)
  }

  /** Resolves at the reply to PSYNC. Throws ClientErrors and what the target throws. */
  static async open(
    url: ServerUrl,
    options: Omit<LinkOptions, 'address'>,
    system: ClientSystem,
    target: AwaitedTarget,
  ): Promise<AwaitedLink> {
    const link = new AwaitedLink(url, options, system, target)
    await link.started
    return link
  }

  get id(): string {
    return this.link.id
  }

  get offset(): number {
    return this.link.offset
  }

  get continued(): boolean {
    return this.link.continued
  }

  acknowledge(): void {
    this.link.acknowledge()
  }

  close(): void {
    this.link.close()
  }

  // ---- LinkTarget ----

  opened(link: PrimaryLink): void {
    this.attempt(() => this.target.opened?.(link))
    this.resolve()
  }

  rdbBegins(bytes: number): void {
    this.attempt(() => this.target.rdbBegins(bytes))
  }

  rdb(bytes: Uint8Array): void {
    this.attempt(() => this.target.rdb(bytes))
  }

  rdbEnds(link: PrimaryLink): void {
    this.attempt(() => this.target.rdbEnds())
    link.loaded()
  }

  stream(bytes: Uint8Array): void {
    this.attempt(() => this.target.stream(bytes))
  }

  closed(reason: CloseReason): void {
    this.fail(errorOf(reason, this.server))
  }

  private attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.link.close()
      this.fail(error as Error)
    }
  }

  private fail(error: Error): void {
    this.error = error
    this.reject(error)
    this.onEnd(error)
  }
}
