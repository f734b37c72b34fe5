// Comparer: compares the datasets of two servers key by key while both are in use.
//
//   source SCAN ─▶ DUMP and time to live of both sides ─▶ equal bytes, or equal values ─▶ same
//                                                  └────▶ doubtful: compared again once the target has caught up
//   target SCAN ─▶ keys that the source does not have ─▶ doubtful
//
// Always: a key counts as different only if it differed in every round.

import type { Remote } from '../../client/remote.ts'
import { Slice } from '../../lib/slice.ts'
import type { Machine } from '../command-line.ts'
import { countText, Progress } from '../progress.ts'
import { MARKER } from './migration-state.ts'
import { type CopiedKey, type FoundKeys, KeyCopier, keysOf, keyText } from './scan-source.ts'
import type { ScratchKeyspace } from './scratch-keyspace.ts'
import type { Stop } from './session.ts'

const FOOTER_BYTES = 10
const KEYS_AT_ONCE = 200
/** Without PEXPIRETIME times to live are relative to the moment each server replies. */
const TTL_TOLERANCE_MS = 2000

export interface DoubtfulKey {
  database: number
  key: Uint8Array
  /** The source's key; undefined: it does not exist there. */
  source: CopiedKey | undefined
}

interface ComparerParts {
  machine: Machine
  source: Remote
  target: Remote
  scratch: ScratchKeyspace
  stop: Stop
  /** Keys that exist only in the target count as differences, too. */
  both: boolean
}

export class Comparer {
  /** Keys compared, and how many of them by value because their bytes differ. */
  keys = 0
  byValue = 0
  private readonly parts: ComparerParts
  private readonly from: KeyCopier
  private readonly to: KeyCopier

  constructor(parts: ComparerParts) {
    this.parts = parts
    this.from = new KeyCopier(parts.source)
    this.to = new KeyCopier(parts.target)
  }

  /** One pass over all keys. */
  async all(): Promise<DoubtfulKey[]> {
    const { machine, source, target, both, stop } = this.parts
    const doubtful: DoubtfulKey[] = []
    const sourceKeys = await keysOf(source)
    const targetKeys = both ? await keysOf(target) : new Map<number, number>()
    let total = 0
    for (const count of [...sourceKeys.values(), ...targetKeys.values()]) total += count
    const progress = new Progress(machine, 'comparing', total, countText)
    let done = 0
    this.keys = 0
    try {
      for (const database of sourceKeys.keys())
        await stop.or(
          this.scan(this.from, database, async keys => {
            doubtful.push(...(await this.compare(database, keys)))
            this.keys += keys.length
            progress.update((done += keys.length))
          }),
        )
      for (const database of targetKeys.keys())
        await stop.or(
          this.scan(this.to, database, async keys => {
            doubtful.push(...(await this.absent(database, keys)))
            progress.update((done += keys.length))
          }),
        )
    } finally {
      progress.end()
    }
    return doubtful
  }

  private async scan(side: KeyCopier, database: number, visit: (keys: Uint8Array[]) => Promise<void>): Promise<void> {
    const look = async (cursor: string): Promise<FoundKeys> => {
      await side.select(database)
      return side.scan(cursor)
    }
    // SCAN of the next keys runs while these are compared.
    for (let next: Promise<FoundKeys> | undefined = look('0'); next !== undefined; ) {
      const found: FoundKeys = await next
      next = found.cursor === '0' ? undefined : look(found.cursor)
      next?.catch(() => {})
      const keys = database === 0 ? found.keys.filter(key => keyText(key) !== MARKER) : found.keys
      if (keys.length > 0) await visit(keys)
    }
  }

  /** Those of the given keys that differ now. */
  private async compare(database: number, keys: readonly Uint8Array[]): Promise<DoubtfulKey[]> {
    const { clock } = this.parts.machine
    const now = () => clock.nowMs()
    const [a, b] = await Promise.all([
      this.from.select(database).then(() => this.from.take(keys, now)),
      this.to.select(database).then(() => this.to.take(keys, now)),
    ])
    const copies = new Map(b.map(one => [keyText(one.key), one]))
    const originals = new Map(a.map(one => [keyText(one.key), one]))
    const different: DoubtfulKey[] = []
    for (const key of keys) {
      const text = keyText(key)
      const source = originals.get(text)
      if (!this.isSame(source, copies.get(text))) different.push({ database, key, source })
    }
    return different
  }

  private isSame(a: CopiedKey | undefined, b: CopiedKey | undefined): boolean {
    if (a === undefined || b === undefined) return a === b
    const exact = this.from.exact === true && this.to.exact === true
    if (a.expiryMs < 0 !== b.expiryMs < 0) return false
    if (Math.abs(a.expiryMs - b.expiryMs) > (exact ? 0 : TTL_TOLERANCE_MS)) return false
    if (sameBytes(a.payload, b.payload)) return true
    this.byValue++
    const { scratch } = this.parts
    return scratch.digest(a.payload) === scratch.digest(b.payload)
  }

  /** Those of the given keys of the target that the source does not have. */
  private async absent(database: number, keys: readonly Uint8Array[]): Promise<DoubtfulKey[]> {
    const { source } = this.parts
    await source.call('SELECT', database)
    if ((await source.call('EXISTS', ...keys)) === keys.length) return []
    return this.compare(database, keys)
  }

  /** Those of the doubtful keys that still differ. */
  async again(doubtful: readonly DoubtfulKey[]): Promise<DoubtfulKey[]> {
    const left: DoubtfulKey[] = []
    const databases = new Set(doubtful.map(one => one.database))
    for (const database of databases) {
      const keys = doubtful.filter(one => one.database === database).map(one => one.key)
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE)
        left.push(...(await this.parts.stop.or(this.compare(database, keys.slice(at, at + KEYS_AT_ONCE)))))
    }
    return left
  }
}

/** Equal except for version and checksum. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - FOOTER_BYTES - 1; i >= 0; i--) if (a[i] !== b[i]) return false
  return true
}

/** Examples of keys, for messages. */
export function exampleText(doubtful: readonly DoubtfulKey[]): string {
  const shown = doubtful.slice(0, 5).map(({ database, key }) => {
    const text = new Slice(key, 0, key.length).latin1()
    return `'${text}' in database ${database}`
  })
  return shown.join(', ') + (doubtful.length > shown.length ? ', ...' : '')
}
