// Types of values that modules add: what one is made of.
//
//   defineType({ name, encodingVersion, save, load, … }) ─▶ ModuleType<Value> ─▶ definition.types, ctx.read, ctx.write
//
// Always: plain data, as all of the module API. load(save(value)) equals value, and equal values are saved equally.

import { foreignIdOf } from '../keyspace/values/module/foreign-type.ts'
import type { ModuleWord } from './definition.ts'

/** Takes the parts of a value, as the RDB formats of Redis's modules have them. */
export interface TypeOutput {
  unsigned(n: number | bigint): void
  signed(n: number | bigint): void
  double(n: number): void
  float(n: number): void
  /** Bytes, or a text as UTF-8. */
  string(s: Uint8Array | string): void
}

/** Gives the parts of a value in the order in which they were saved. Each throws when another kind of part is next. */
export interface TypeInput {
  /** An integer up to 2^53. */
  unsigned(): number
  signed(): number
  unsignedBig(): bigint
  signedBig(): bigint
  double(): number
  float(): number
  bytes(): Uint8Array
  text(): string
  /** All parts were read. */
  readonly isAtEnd: boolean
}

export interface TypeDefinition<Value> {
  /** Nine characters of A-Z a-z 0-9 - and _: TYPE prints them, and RDB files have them. */
  readonly name: string
  /** 0 to 1023, written with each value. */
  readonly encodingVersion: number
  /** A generator saves a large value in parts: each `yield` lets others go on; the value does not change meanwhile. */
  save(value: Value, out: TypeOutput): void | Generator<void, void, void>
  /** Throws when the parts are no value. */
  load(input: TypeInput, encodingVersion: number): Value
  /** Commands that build the value in a rewritten append-only file; the key, left out, is second. Absent: RESTORE. */
  rewrite?(value: Value): Iterable<readonly [command: string, ...words: ModuleWord[]]>
  /** Absent: what save() writes. Mixes what is equal for equal values. */
  digest?(value: Value, mix: (part: ModuleWord) => void): void
  /** Absent: saved and loaded. */
  copy?(value: Value): Value
  /** Its bytes in memory. Must be cheap: asked after each change. Absent: 0, and maxmemory does not see it. */
  memory?(value: Value): number
  /** More than 64: it is freed in the background, when UNLINK and the like ask for it. */
  freeEffort?(value: Value): number
  /** The value is no longer used. A generator works in slices. */
  free?(value: Value): void | Generator<void, void, void>
  /** Data of the module that belongs to no key. What is saved empty is left out of the file. */
  readonly aux?: {
    save(out: TypeOutput, when: 'before' | 'after'): void
    load(input: TypeInput, encodingVersion: number, when: 'before' | 'after'): void
  }
}

export interface ModuleType<Value> extends TypeDefinition<Value> {
  readonly isRedstartType: true
}

const PARTS = [
  'name',
  'encodingVersion',
  'save',
  'load',
  'rewrite',
  'digest',
  'copy',
  'memory',
  'freeEffort',
  'free',
  'aux',
]

/** Checks a definition. Throws a TypeError. */
export function defineType<Value>(definition: TypeDefinition<Value>): ModuleType<Value> {
  const { name, encodingVersion, save, load } = definition
  if (typeof name !== 'string' || foreignIdOf(name, 0) === undefined)
    throw new TypeError(`a type's name has nine characters of A-Z, a-z, 0-9, - and _, unlike '${String(name)}'`)
  if (!Number.isInteger(encodingVersion) || encodingVersion < 0 || encodingVersion > 1023)
    throw new TypeError(`type '${name}': encodingVersion is an integer from 0 to 1023`)
  if (typeof save !== 'function' || typeof load !== 'function')
    throw new TypeError(`type '${name}': save and load are functions`)
  for (const part of Object.keys(definition))
    if (!PARTS.includes(part)) throw new TypeError(`type '${name}': '${part}' is no part of a type`)
  return { ...definition, isRedstartType: true }
}

/** A key to write, open until its command returns. */
export interface TypedKey<Value> {
  /** undefined: there is no such key. It may be changed in place: then say changed(). */
  readonly value: Value | undefined
  /** Gives the key this value; its expiry goes. */
  set(value: Value, event?: string): void
  /** The value was changed in place. `event`: as keyspace events name it; absent: the command's name. */
  changed(event?: string): void
  /** Removes the key. */
  delete(): void
}
