// ForeignType: what a module's type of values supplies. Values are objects of the module; the server knows their bytes
// as RDB files have them: items between the type's id and its end (persistence/rdb/module-items.ts).
//
// Always: equal values are encoded equally. encode() and decode() may throw, the others do not.

import type { Slice } from '../../../lib/slice.ts'
import type { Digest } from '../../digest.ts'

export interface ForeignType {
  /** Nine characters: as TYPE prints it. */
  readonly name: string
  /** The halves of the id in RDB files: nine characters of six bits, ten bits of encoding version. */
  readonly idHigh: number
  readonly idLow: number
  /** The items of a value, in parts; each is valid until the next. */
  encode(value: unknown): Iterator<Uint8Array, void>
  /** The value of these items, which were written with this encoding version. */
  decode(items: Uint8Array, version: number): unknown
  /** Commands that build the value, without its key, which comes second; undefined: it is restored from its bytes. */
  rewrite(value: unknown): Iterator<readonly Slice[], void> | undefined
  copy(value: unknown): unknown
  /** Bytes outside of the arena. */
  memory(value: unknown): number
  freeEffort(value: unknown): number
  /** Begins to free a value: continued up to its end. */
  free(value: unknown): Iterator<void, void>
  digest(value: unknown, into: Digest): void
}

/** The types of a server's modules. */
export interface ForeignTypes {
  /** The type with this id, whatever its encoding version; or one that keeps the bytes of its values; or none. */
  find(idHigh: number, idLow: number): ForeignType | undefined
  /** Data of modules that belongs to no key, as RDB files have it before and after the keys. */
  saveData(): ForeignData
  /** Takes such data; returns an error message when it cannot be loaded. `when`: MODULE_BEFORE or MODULE_AFTER. */
  loadData(idHigh: number, idLow: number, when: number, items: Uint8Array): string | undefined
}

export interface ForeignData {
  readonly before: Uint8Array
  readonly after: Uint8Array
  /** Why it is not whole. */
  readonly failure: string | undefined
}

const NOTHING = new Uint8Array(0)
const NO_DATA: ForeignData = { before: NOTHING, after: NOTHING, failure: undefined }

/** Of a server without modules. */
export const NO_FOREIGN_TYPES: ForeignTypes = {
  find: () => undefined,
  saveData: () => NO_DATA,
  loadData: (high, low) => noModuleFor(foreignNameOf(high, low)),
}

export function noModuleFor(name: string): string {
  return `The RDB file contains AUX module data I can't load: no matching module '${name}'`
}

const NAME_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NAME_LENGTH = 9
const VERSION_BITS = 10n
const ENCODING_VERSION_MAX = 1023

/** The id of a type; undefined: it has no such name or version. */
export function foreignIdOf(name: string, version: number): { high: number; low: number } | undefined {
  if (name.length !== NAME_LENGTH || !Number.isInteger(version) || version < 0 || version > ENCODING_VERSION_MAX)
    return undefined
  let id = 0n
  for (const char of name) {
    const bits = NAME_CHARS.indexOf(char)
    if (bits < 0) return undefined
    id = (id << 6n) | BigInt(bits)
  }
  id = (id << VERSION_BITS) | BigInt(version)
  return { high: Number(id >> 32n), low: Number(id & 0xffffffffn) }
}

/** The name in an id. */
export function foreignNameOf(high: number, low: number): string {
  let id = ((BigInt(high) << 32n) | BigInt(low)) >> VERSION_BITS
  let name = ''
  for (let i = 0; i < NAME_LENGTH; i++, id >>= 6n) name = NAME_CHARS[Number(id & 63n)] + name
  return name
}

/** The encoding version in an id. */
export function foreignVersionOf(low: number): number {
  return low & ENCODING_VERSION_MAX
}
