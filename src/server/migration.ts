// Migrations: MIGRATE. A key is sent as RESTORE and deleted here once the target has confirmed it.
//
//   order ─▶ queue of its target ─▶ sent [begin, send] ─▶ a reply for each key [line] ─▶ deleted and replied to [end]
//
// Always: while an order is queued or running its keys do not change: commands that would write them, and write
// commands whose keys are not known beforehand, are postponed. Reads and all other commands run.

import type { ClientSystem } from '../client/connection.ts'
import { CMD_MAY_REPLICATE, CMD_WRITE } from '../engine/catalog/command.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { type Gate, POSTPONE, wouldRun } from '../engine/gates.ts'
import type { Migration, MigrationOrder } from '../engine/ports/migration.ts'
import type { Slice } from '../lib/slice.ts'
import { digitsEnd } from '../lib/strtod.ts'
import { DEL, deleteKey } from './delete-key.ts'
import { MigrationTarget, type Order } from './migration-target.ts'

/** Targets with an open connection; beyond that the least recently used one is closed. */
const TARGETS_MAX = 64
const MAY_CHANGE = CMD_WRITE | CMD_MAY_REPLICATE

export class Migrations implements Migration {
  private readonly engine: Engine
  private readonly system: ClientSystem
  private readonly pinned: { pins: number }
  private readonly targets = new Map<string, MigrationTarget>()
  /** How many orders lock each key; databases are not distinguished. */
  private readonly keys = new Map<string, number>()

  /** `pinned`: compaction, which stops while there are pins. */
  constructor(engine: Engine, system: ClientSystem, pinned: { pins: number }) {
    this.engine = engine
    this.system = system
    this.pinned = pinned
  }

  start(client: Client, order: MigrationOrder): void {
    this.lockKeys(order.keys)
    this.target(order.host, order.port).give({ ...order, client })
  }

  /** Open connections, idle ones included. */
  get connections(): number {
    let open = 0
    for (const target of this.targets.values()) if (target.connected) open++
    return open
  }

  stop(): void {
    for (const target of this.targets.values()) target.stop()
    this.targets.clear()
  }

  private target(host: string, port: string): MigrationTarget {
    const name = `${host}:${port}`
    const known = this.targets.get(name)
    if (known === undefined && this.targets.size >= TARGETS_MAX) this.dropOldest()
    const target = known ?? this.newTarget(host, port)
    // Moved to the end: the map is in order of use.
    this.targets.delete(name)
    this.targets.set(name, target)
    return target
  }

  private newTarget(host: string, port: string): MigrationTarget {
    const { engine, system, pinned } = this
    return new MigrationTarget({
      engine,
      system,
      pinned,
      host,
      port: portOf(port),
      ended: (order, taken, error) => this.end(order, taken, error),
    })
  }

  private dropOldest(): void {
    for (const [name, target] of this.targets) {
      if (target.busy) continue
      target.stop()
      this.targets.delete(name)
      return
    }
  }

  /** The target has confirmed `taken`; `error` null: success. */
  private end(order: Order, taken: readonly Slice[], error: string | null): void {
    const { engine } = this
    engine.tick()
    if (!order.copy) this.remove(order, taken)
    this.unlockKeys(order.keys)
    const { client } = order
    const state = client.blocked
    if (state !== undefined && error !== null) engine.blocking.abort(client, error)
    else if (state !== undefined) {
      engine.answer(client, reply => reply.ok())
      engine.blocking.finish(client)
    }
    engine.serveBlockedAndFlush()
  }

  private remove({ from }: Order, keys: readonly Slice[]): void {
    const { engine } = this
    const removed = keys.filter(key => deleteKey(engine, from, key))
    if (removed.length > 0) engine.dispatch.propagateNow(from, [DEL, ...removed])
  }

  // ---- locked keys ----

  private lockKeys(keys: readonly Slice[]): void {
    if (this.keys.size === 0) this.engine.gates.set('movingKeys', this.gate)
    for (const key of keys) {
      const name = key.latin1()
      this.keys.set(name, (this.keys.get(name) ?? 0) + 1)
    }
  }

  private unlockKeys(keys: readonly Slice[]): void {
    for (const key of keys) {
      const name = key.latin1()
      const left = this.keys.get(name)! - 1
      if (left === 0) this.keys.delete(name)
      else this.keys.set(name, left)
    }
    if (this.keys.size === 0) this.engine.gates.set('movingKeys', undefined)
    this.engine.postponed.release('movingKeys')
  }

  private readonly gate: Gate = (client, entry, args, argc) =>
    wouldRun(client, entry, args, argc, this.changes) ? POSTPONE : undefined

  private readonly changes = (_client: Client, entry: TableEntry, args: Slice[], argc: number): boolean => {
    const { scripting, table } = this.engine
    // A script may write keys that it does not declare.
    if (entry.command.group === 'scripting') return (scripting.flagsOf(entry, args, argc) & MAY_CHANGE) !== 0
    if ((entry.flags & MAY_CHANGE) === 0) return false
    const { positions, count } = table.keysOf(entry, args, argc)
    if (count === 0) return (entry.flags & CMD_WRITE) !== 0
    for (let i = 0; i < count; i++) if (this.keys.has(args[positions[i]].latin1())) return true
    return false
  }
}

/** More only make it larger than a long. */
const PORT_DIGITS_MAX = 40
const LONG_MAX = 2n ** 63n - 1n

/** As atoi and the resolver of names read it: of 32 bits the low 16; a negative one is none. */
function portOf(text: string): number {
  const number = text.trimStart()
  const from = number.startsWith('-') || number.startsWith('+') ? 1 : 0
  const size = BigInt(number.slice(from, Math.min(digitsEnd(number, from), from + PORT_DIGITS_MAX)))
  const long = number.startsWith('-') ? -size : size
  const port = Number(BigInt.asIntN(32, long > LONG_MAX ? LONG_MAX : long < -LONG_MAX ? -LONG_MAX - 1n : long))
  return port < 0 ? port : port % 65536
}
