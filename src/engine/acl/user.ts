// User: a name, passwords and permissions. ACL SETUSER, the ACL file and `user` lines change it rule by rule.
//
// Always: selectors[0] is the root, to which rules outside of parentheses apply. `compile()` follows the rules of a
// new user and every change; until then each command is judged by its arguments.

import { sha256Hex } from '../../lib/sha256.ts'
import { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import { splitWords } from '../../lib/words.ts'
import type { KeyPositions } from '../catalog/keyspecs.ts'
import type { CommandTable, TableEntry } from '../catalog/table.ts'
import { ALLOWED, DENIED_CHANNEL, DENIED_COMMAND, DENIED_KEY, Selector } from './selector.ts'

const HASH_DIGITS = 64
const NOT_A_HASH = 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters'
const NO_SUCH_PASSWORD = 'The password you are trying to remove from the user does not exist'

export class User {
  readonly name: string
  isOn = false
  /** Any password is right. */
  isNopass = false
  /** RESTORE believes this user's payloads (sanitize-dump-payload clients). */
  skipsSanitizing = false
  /** SHA-256 in hexadecimal. */
  passwords: string[] = []
  selectors: Selector[]
  /** May do everything: no check is needed. */
  isUnrestricted = false
  /** By command id: 1 when it may run whatever its arguments are. */
  private free: Uint8Array
  /** By command id: the root allows it on keys with this access, and its only key is its first argument; else 0. */
  private onlyKeyAccess: Uint8Array
  private readonly table: CommandTable
  /** acl-pubsub-default is allchannels. */
  private readonly allChannels: () => boolean

  constructor(name: string, table: CommandTable, allChannels: () => boolean) {
    this.name = name
    this.table = table
    this.allChannels = allChannels
    this.selectors = [new Selector(table, allChannels())]
    this.free = new Uint8Array(table.facts.length)
    this.onlyKeyAccess = new Uint8Array(table.facts.length)
  }

  get root(): Selector {
    return this.selectors[0]
  }

  /** A user of this name with the same rules. */
  copy(name = this.name): User {
    const copy = new User(name, this.table, this.allChannels)
    copy.become(this)
    return copy
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.isOn = other.isOn
    this.isNopass = other.isNopass
    this.skipsSanitizing = other.skipsSanitizing
    this.passwords = [...other.passwords]
    this.selectors = other.selectors.map(selector => selector.copy())
    this.compile()
  }

  /** Computes what decides about most commands without a look at their arguments. */
  compile(): void {
    const { free, onlyKeyAccess, root, selectors } = this
    this.isUnrestricted = root.allowsEverything
    if (this.isUnrestricted) {
      free.fill(1)
      onlyKeyAccess.fill(0)
      return
    }
    for (const entry of this.table.facts) {
      free[entry.id] = selectors.some(one => one.passes(entry)) ? 1 : 0
      onlyKeyAccess[entry.id] = root.accessOfOnlyKey(entry)
    }
    this.isUnrestricted = free.every(one => one === 1)
  }

  /** The server's commands have changed. */
  recompute(): void {
    for (const selector of this.selectors) selector.recompute()
    this.free = new Uint8Array(this.table.facts.length)
    this.onlyKeyAccess = new Uint8Array(this.table.facts.length)
    this.compile()
  }

  // ---- rules ----

  /** Applies one rule; why not, or undefined. The caller compiles at the end. */
  apply(rule: string): string | undefined {
    if (rule === '') return undefined
    const sign = rule[0]
    if (sign === '>' || sign === '#' || sign === '<' || sign === '!') return this.applyPassword(sign, rule.slice(1))
    if (sign === '(' && rule.endsWith(')')) return this.addSelector(rule.slice(1, -1))
    switch (cText(rule).toLowerCase()) {
      case 'on':
        this.isOn = true
        return undefined
      case 'off':
        this.isOn = false
        return undefined
      case 'skip-sanitize-payload':
        this.skipsSanitizing = true
        return undefined
      case 'sanitize-payload':
        this.skipsSanitizing = false
        return undefined
      case 'nopass':
      case 'resetpass':
        this.isNopass = cText(rule).toLowerCase() === 'nopass'
        this.passwords = []
        return undefined
      case 'clearselectors':
        this.selectors.length = 1
        return undefined
      case 'reset':
        return this.reset()
      default:
        return this.root.apply(rule)
    }
  }

  private applyPassword(sign: '>' | '#' | '<' | '!', text: string): string | undefined {
    const isPlain = sign === '>' || sign === '<'
    if (!isPlain && !isHash(text)) return NOT_A_HASH
    const hash = isPlain ? passwordHash(text) : text
    const at = this.passwords.indexOf(hash)
    if (sign === '>' || sign === '#') {
      if (at < 0) this.passwords.push(hash)
      this.isNopass = false
      return undefined
    }
    if (at < 0) return NO_SUCH_PASSWORD
    this.passwords.splice(at, 1)
    return undefined
  }

  private addSelector(rules: string): string | undefined {
    const selector = new Selector(this.table, this.allChannels())
    for (const rule of splitWords(rules) ?? []) {
      const refusal = selector.apply(rule)
      if (refusal !== undefined) return refusal
    }
    this.selectors.push(selector)
    return undefined
  }

  private reset(): undefined {
    this.isOn = this.isNopass = this.skipsSanitizing = false
    this.passwords = []
    this.selectors = [new Selector(this.table, this.allChannels())]
  }

  // ---- questions ----

  /** Whether this is a password of the user; takes the same time for every wrong one. */
  accepts(password: string): boolean {
    if (this.isNopass) return true
    const hash = passwordHash(password)
    let found = false
    for (const known of this.passwords) if (sameHash(known, hash)) found = true
    return found
  }

  /** The command may run whatever its arguments are. */
  passes(entry: TableEntry): boolean {
    return this.free[entry.id] === 1
  }

  /** The command may run on this first argument; false: judge() decides. */
  passesOnFirst(entry: TableEntry, args: Slice[]): boolean {
    const needed = this.onlyKeyAccess[entry.id]
    return needed !== 0 && this.root.allowsKey(args[1], needed)
  }

  /**
   * Judges a command: ALLOWED or a DENIED_. `keys` is filled with its keys at most once. The index of the argument
   * that was refused is in `refused.at`. Allocates nothing unless first arguments are allowed.
   */
  judge(entry: TableEntry, args: Slice[], argc: number, keys: KeyPositions, refused: { at: number }): number {
    let denied = DENIED_COMMAND
    let hasKeys = false
    refused.at = 0
    for (const selector of this.selectors) {
      if (!selector.allowsCommand(entry, args, argc)) continue
      if (!selector.allKeys && !hasKeys) {
        if (entry.hasKeys()) entry.getKeys(args, argc, keys)
        else keys.count = 0
        hasKeys = true
      }
      let reason = DENIED_KEY
      let at = selector.refusedKey(args, keys)
      if (at < 0) {
        reason = DENIED_CHANNEL
        at = selector.refusedChannel(entry, args, argc)
      }
      if (at < 0) return ALLOWED
      if (reason > denied || (reason === denied && at > refused.at)) {
        denied = reason
        refused.at = at
      }
    }
    return denied
  }

  /** Whether one selector allows the command and access to every key; `flags`: KEY_ bits. */
  allowsOnAnyKey(entry: TableEntry, args: Slice[], argc: number, keys: KeyPositions, flags: number): boolean {
    entry.getKeys(args, argc, keys)
    return this.selectors.some(
      selector =>
        selector.allowsCommand(entry, args, argc) &&
        selector.refusedKey(args, keys) < 0 &&
        selector.refusedChannel(entry, args, argc) < 0 &&
        selector.allowsAnyKey(flags),
    )
  }

  // ---- texts ----

  /** As in ACL GETUSER, in Redis's order. */
  get flagNames(): string[] {
    const sanitizing = this.skipsSanitizing ? 'skip-sanitize-payload' : 'sanitize-payload'
    return [this.isOn ? 'on' : 'off', ...(this.isNopass ? ['nopass'] : []), sanitizing]
  }

  /** The line of ACL LIST, of the ACL file and of redis.conf. */
  get line(): string {
    const words = [...this.flagNames, ...this.passwords.map(hash => `#${hash}`)]
    const selectors = this.selectors.map((selector, i) => (i === 0 ? selector.text : `(${selector.text})`))
    return ['user', this.name, ...words, ...selectors].join(' ')
  }
}

function passwordHash(password: string): string {
  return sha256Hex(Slice.of(password))
}

function isHash(text: string): boolean {
  if (text.length !== HASH_DIGITS) return false
  for (let i = 0; i < HASH_DIGITS; i++) if (!'0123456789abcdef'.includes(text[i])) return false
  return true
}

/** Constant-time comparison of two hashes. */
function sameHash(a: string, b: string): boolean {
  let difference = 0
  for (let i = 0; i < HASH_DIGITS; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
