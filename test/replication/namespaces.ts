// Namespaces: network namespaces of Linux, one for each server, joined by a bridge. A server can be cut off from all
// others: what is sent is lost, and no connection ends by it, as when a cable breaks.
//
//   this process ── bridge ─┬─ veth ─ namespace 0: 10.x.y.1        cut(0): its veth at the bridge is down
//      10.x.y.254           └─ veth ─ namespace 1: 10.x.y.2
//
// It needs root, and `ip` of iproute2.

import { execFileSync } from 'node:child_process'
import process from 'node:process'

export class Namespaces {
  /** Of this process, at the bridge. */
  readonly own: string
  private readonly prefix: string
  private readonly network: string
  private readonly count: number

  constructor(count: number) {
    this.count = count
    this.prefix = `rs${process.pid}`
    this.network = `10.${64 + ((process.pid >> 8) & 63)}.${process.pid & 255}`
    this.own = `${this.network}.254`
  }

  /** Everything is made; `close` removes it, also after a failure here. */
  open(): void {
    const { prefix, own } = this
    ip(`link add ${prefix}b type bridge`)
    ip(`addr add ${own}/24 dev ${prefix}b`)
    ip(`link set ${prefix}b up`)
    for (let i = 0; i < this.count; i++) {
      const name = this.nameOf(i)
      ip(`netns add ${name}`)
      ip(`link add ${name} type veth peer name eth0 netns ${name}`)
      ip(`link set ${name} master ${prefix}b up`)
      ip(`-n ${name} addr add ${this.addressOf(i)}/24 dev eth0`)
      ip(`-n ${name} link set eth0 up`)
      ip(`-n ${name} link set lo up`)
    }
  }

  private nameOf(i: number): string {
    return `${this.prefix}n${i}`
  }

  addressOf(i: number): string {
    return `${this.network}.${i + 1}`
  }

  /** The command line that runs `command` in namespace `i`, as the same process. */
  commandIn(i: number, command: string): string {
    return `ip netns exec ${this.nameOf(i)} ${command}`
  }

  cut(i: number): void {
    ip(`link set ${this.nameOf(i)} down`)
  }

  join(i: number): void {
    ip(`link set ${this.nameOf(i)} up`)
  }

  close(): void {
    for (let i = 0; i < this.count; i++) quietly(`netns del ${this.nameOf(i)}`)
    quietly(`link del ${this.prefix}b`)
  }
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
}

function quietly(words: string): void {
  try {
    ip(words)
  } catch {}
}
