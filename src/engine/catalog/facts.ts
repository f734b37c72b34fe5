// Facts: what a command's literal says, in the form that dispatch, ACL and COMMAND INFO read: bits, key specs, a range.
//
// Always: they depend on the literal and the known categories alone, so that all tables of the same commands share
// them.

import {
  ACL_CATEGORIES,
  type AclCategoryName,
  CMD_ADMIN,
  CMD_BLOCKING,
  CMD_FAST,
  CMD_MOVABLE_KEYS,
  CMD_PUBSUB,
  CMD_READONLY,
  CMD_SOLE_KEY,
  CMD_WRITE,
  COMMAND_FLAGS,
  type Command,
  type CommandFlagName,
} from './command.ts'
import { flagsOfOnlyKey, KEY_INCOMPLETE, type KeySpec, parseKeySpecs } from './keyspecs.ts'

const RUN_IN_MULTI: ReadonlySet<string> = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])

/** What a literal says about its command. */
export interface Facts {
  readonly fullName: string
  readonly flags: number
  readonly categories: number
  readonly keySpecs: readonly KeySpec[]
  readonly range: LegacyRange
  readonly constantTime: boolean
  readonly runsInMulti: boolean
}

export function factsOf(command: Command, parent: Pick<Facts, 'fullName'> | undefined, known: Categories): Facts {
  const fullName = parent === undefined ? command.name : `${parent.fullName}|${command.name}`
  const keySpecs = command.keys === undefined ? NO_SPECS : parseKeySpecs(command.keys)
  const range = legacyRange(keySpecs)
  const hasSoleKey = flagsOfOnlyKey({ keySpecs, keyFinder: command.keyFinder }) !== 0
  const flags = bitsOf(command.flags, COMMAND_FLAGS as Record<CommandFlagName, number>)
  return {
    fullName,
    keySpecs,
    range,
    flags: flags | (range.movable ? CMD_MOVABLE_KEYS : 0) | (hasSoleKey ? CMD_SOLE_KEY : 0),
    categories: categoriesOf(command, flags, known),
    runsInMulti: RUN_IN_MULTI.has(fullName),
    constantTime:
      (flags & (CMD_FAST | CMD_ADMIN)) === CMD_FAST ||
      (command.complexity?.startsWith('O(1)') === true && SAMPLED_GROUPS.has(command.group)),
  }
}

/**
 * Groups whose O(1) commands are so for any value; those of the others iterate, wait, or free what they replace. A
 * module knows what it says.
 */
const SAMPLED_GROUPS: ReadonlySet<string> = new Set(['string', 'bitmap', 'list', 'geo', 'hyperloglog', 'module'])

const NO_SPECS: readonly KeySpec[] = []

function bitsOf<Name extends string>(words: string, bits: Record<Name, number>): number {
  let sum = 0
  for (const word of words === '' ? [] : words.split(' ')) {
    const bit = bits[word as Name]
    if (bit === undefined) throw new Error(`no such flag or category: '${word}'`)
    sum |= bit
  }
  return sum
}

export function namesOf(bits: Record<string, number>, set: number): string[] {
  return Object.keys(bits).filter(name => (set & bits[name]) !== 0)
}

/** Groups whose commands belong to a category implicitly. */
const GROUP_CATEGORY: Record<string, AclCategoryName | undefined> = {
  bitmap: 'bitmap',
  connection: 'connection',
  generic: 'keyspace',
  geo: 'geo',
  hash: 'hash',
  hyperloglog: 'hyperloglog',
  list: 'list',
  scripting: 'scripting',
  set: 'set',
  'sorted-set': 'sortedset',
  stream: 'stream',
  string: 'string',
  transactions: 'transaction',
}

type Categories = Readonly<Record<string, number>>

/** The categories that there are and those of extensions. */
export function withCategories(more: readonly string[], known: ReadonlyMap<string, number> = BUILT_IN): Categories {
  const all: Record<string, number> = Object.fromEntries(known)
  for (const name of more) {
    const taken = Object.values(all).reduce((bits, bit) => bits | bit, 0)
    const free = 31 - Math.clz32(~taken & (taken + 1))
    if (free >= CATEGORIES_MAX) throw new Error(`no more than ${CATEGORIES_MAX} ACL categories`)
    all[name.toLowerCase()] ??= 1 << free
  }
  return all
}

const BUILT_IN: ReadonlyMap<string, number> = new Map(Object.entries(ACL_CATEGORIES))

const CATEGORIES_MAX = 31

function categoriesOf(command: Command, flags: number, known: Categories): number {
  const named = command.acl ?? GROUP_CATEGORY[command.group] ?? ''
  let bits = bitsOf(named, known)
  if ((flags & CMD_WRITE) !== 0) bits |= ACL_CATEGORIES.write
  // A script's reads are judged by its commands, not by EVAL_RO itself.
  if ((flags & CMD_READONLY) !== 0 && (bits & ACL_CATEGORIES.scripting) === 0) bits |= ACL_CATEGORIES.read
  if ((flags & CMD_ADMIN) !== 0) bits |= ACL_CATEGORIES.admin | ACL_CATEGORIES.dangerous
  if ((flags & CMD_PUBSUB) !== 0) bits |= ACL_CATEGORIES.pubsub
  if ((flags & CMD_BLOCKING) !== 0) bits |= ACL_CATEGORIES.blocking
  return bits | ((flags & CMD_FAST) !== 0 ? ACL_CATEGORIES.fast : ACL_CATEGORIES.slow)
}

/** Absolute positions; lastKey counts from the end when negative. All 0: no keys. */
export interface LegacyRange {
  firstKey: number
  lastKey: number
  keyStep: number
  /** Some keys are outside the range: ask getKeys. */
  movable: boolean
}

/** One range for clients without key specs: consecutive ranges joined, everything else makes the keys movable. */
function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  const range: LegacyRange = { firstKey: 0, lastKey: 0, keyStep: 0, movable: false }
  const single = specs.length === 1
  for (const spec of specs) {
    const plain = spec.begin === 'index' && spec.find === 'range'
    const joins = single || (spec.step === 1 && (range.lastKey === 0 || range.lastKey === spec.from - 1))
    if (!plain || !joins) {
      range.movable = true
      continue
    }
    if ((spec.flags & KEY_INCOMPLETE) !== 0) range.movable = true
    if (range.firstKey === 0) range.firstKey = spec.from
    const last = spec.lastKey < 0 ? spec.lastKey : spec.from + spec.lastKey
    // Unsigned: a last key counted from the end is beyond every other.
    if (last >>> 0 > range.lastKey >>> 0) range.lastKey = last
    range.keyStep = spec.step
  }
  return range
}
