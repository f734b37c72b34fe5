// Selector: one set of permissions of a user: commands, keys, channels. The first of a user is its root; more are added
// with (rules). A command is allowed when one selector allows all of it.
//
//   rules      +@all -@dangerous +config|get      as written, in order, for ACL LIST
//     └─▶ allowed  [ 1 | 1 | 0 | 1 | … ]          one byte per command id (TableEntry.id): what the rules come to
//
// Always: `allowed` is what `rules`, applied in order to +@all (futureCommands) or -@all, come to. Texts are byte
// strings, one char a byte. Source of the rules and their refusals: Redis 7.2's ACL SETUSER.

import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import { splitWords } from '../../lib/words.ts'
import { CMD_NO_AUTH } from '../catalog/command.ts'
import { flagsOfOnlyKey, KEY_READS, KEY_VARIABLE_FLAGS, KEY_WRITES, type KeyPositions } from '../catalog/keyspecs.ts'
import type { CommandTable, TableEntry } from '../catalog/table.ts'

const READ = 1
const WRITE = 2
const READ_AND_WRITE = READ | WRITE

/** What a selector says of a command; the larger one is reported when no selector allows it. */
export const ALLOWED = 0
export const DENIED_COMMAND = 1
export const DENIED_KEY = 2
export const DENIED_CHANNEL = 4

/** Why a rule is refused: the sentence of ACL SETUSER's error. */
export const UNKNOWN_COMMAND = 'Unknown command or category name in ACL'
export const RULE_SYNTAX = 'Syntax error'
const AFTER_ALL_KEYS =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try " +
  "'resetkeys' to start with an empty list of patterns"
const AFTER_ALL_CHANNELS =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try " +
  "'resetchannels' to start with an empty list of channels"
const FIRST_ARG_OF_SUBCOMMAND = 'Allowing first-arg of a subcommand is not supported'

interface Pattern {
  readonly text: string
  readonly glob: Slice
}

interface KeyPattern extends Pattern {
  access: number
  /** The pattern is so many plain bytes and a star; 0: it is not of that form. */
  readonly prefix: number
}

export class Selector {
  allKeys = false
  allChannels: boolean
  /** Began with +@all: commands that are added to the server later are allowed too. */
  private futureCommands = false
  private readonly table: CommandTable
  private rules: string[] = []
  private allowed: Uint8Array
  /** First arguments with which a command is allowed whose byte is 0; by command id, lower case. */
  private readonly firstArgs = new Map<number, string[]>()
  private keyPatterns: KeyPattern[] = []
  private channelPatterns: Pattern[] = []

  constructor(table: CommandTable, allChannels: boolean) {
    this.table = table
    this.allChannels = allChannels
    this.allowed = new Uint8Array(table.facts.length)
  }

  copy(): Selector {
    const copy = new Selector(this.table, this.allChannels)
    copy.allKeys = this.allKeys
    copy.futureCommands = this.futureCommands
    copy.rules = [...this.rules]
    copy.allowed = this.allowed.slice()
    for (const [id, words] of this.firstArgs) copy.firstArgs.set(id, [...words])
    copy.keyPatterns = this.keyPatterns.map(pattern => ({ ...pattern }))
    copy.channelPatterns = [...this.channelPatterns]
    return copy
  }

  // ---- rules ----

  /** Applies one rule; why not, or undefined. */
  apply(rule: string): string | undefined {
    const word = cText(rule)
    switch (word.toLowerCase()) {
      case 'allkeys':
      case '~*':
        return this.setAllKeys(true)
      case 'resetkeys':
        return this.setAllKeys(false)
      case 'allchannels':
      case '&*':
        return this.setAllChannels(true)
      case 'resetchannels':
        return this.setAllChannels(false)
      case 'allcommands':
      case '+@all':
        return this.setAllCommands(1)
      case 'nocommands':
      case '-@all':
        return this.setAllCommands(0)
    }
    const sign = word[0]
    if (sign === '~' || sign === '%') return this.addKeyPattern(rule)
    if (sign === '&') return this.addChannelPattern(rule)
    if (sign !== '+' && sign !== '-') return RULE_SYNTAX
    if (word[1] === '@') return this.setCategory(word.slice(1), sign)
    return sign === '+' && word.includes('|') ? this.allowPart(word.slice(1)) : this.setCommand(word.slice(1), sign)
  }

  /** The server's commands have changed. Rules about commands that are not there stay, and do nothing. */
  recompute(): void {
    const { rules } = this
    this.allowed = new Uint8Array(this.table.facts.length).fill(this.futureCommands ? 1 : 0)
    this.firstArgs.clear()
    for (const rule of rules) this.apply(rule)
    this.rules = rules
  }

  private setAllKeys(on: boolean): undefined {
    this.allKeys = on
    this.keyPatterns = []
  }

  private setAllChannels(on: boolean): undefined {
    this.allChannels = on
    this.channelPatterns = []
  }

  private setAllCommands(on: 0 | 1): undefined {
    this.futureCommands = on === 1
    this.allowed.fill(on)
    this.rules = []
    this.firstArgs.clear()
  }

  private addKeyPattern(rule: string): string | undefined {
    if (this.allKeys) return AFTER_ALL_KEYS
    let access = rule[0] === '~' ? READ_AND_WRITE : 0
    let at = 1
    if (rule[0] === '%')
      for (; at < rule.length; at++) {
        const letter = rule[at].toUpperCase()
        if (letter === 'R' && (access & READ) === 0) access |= READ
        else if (letter === 'W' && (access & WRITE) === 0) access |= WRITE
        else if (letter === '~') {
          at++
          break
        } else return RULE_SYNTAX
      }
    const text = rule.slice(at)
    // Redis 7.2 accepts % without a letter, and ends when it describes the user.
    if (access === 0 || hasBlanks(text)) return RULE_SYNTAX
    const known = this.keyPatterns.find(pattern => pattern.text === text)
    if (known === undefined) this.keyPatterns.push({ text, glob: Slice.of(text), access, prefix: prefixOf(text) })
    else known.access |= access
    return undefined
  }

  private addChannelPattern(rule: string): string | undefined {
    if (this.allChannels) return AFTER_ALL_CHANNELS
    const text = rule.slice(1)
    if (hasBlanks(text)) return RULE_SYNTAX
    if (!this.channelPatterns.some(pattern => pattern.text === text))
      this.channelPatterns.push({ text, glob: Slice.of(text) })
    return undefined
  }

  /** +@category, -@category */
  private setCategory(name: string, sign: '+' | '-'): string | undefined {
    const bit = this.table.categoryBit(name.slice(1))
    if (bit === 0) return UNKNOWN_COMMAND
    this.remember(name.toLowerCase(), sign)
    for (const entry of this.table.facts) if ((entry.categories & bit) !== 0) this.setEntry(entry, sign)
    return undefined
  }

  /** +command, -command, -command|subcommand */
  private setCommand(name: string, sign: '+' | '-'): string | undefined {
    const entry = this.table.lookupOriginalFullName(Slice.of(name))
    if (entry === undefined) return UNKNOWN_COMMAND
    this.setEntry(entry, sign)
    this.remember(entry.fullName, sign)
    return undefined
  }

  /** +command|subcommand, +command|first-argument */
  private allowPart(name: string): string | undefined {
    const bar = name.lastIndexOf('|')
    const part = name.slice(bar + 1)
    const command = this.table.lookupOriginalFullName(Slice.of(name.slice(0, bar)))
    if (command === undefined) return UNKNOWN_COMMAND
    if (command.parent !== undefined) return FIRST_ARG_OF_SUBCOMMAND
    if (part === '') return RULE_SYNTAX
    if (command.subs.length > 0) {
      const entry = this.table.lookupOriginalFullName(Slice.of(name))
      if (entry === undefined) return UNKNOWN_COMMAND
      this.setEntry(entry, '+')
    } else {
      // Redis 7.2 accepts what it cannot read back, and ends when it describes the user.
      if (hasBlanks(part) || splitWords(part)?.[0] !== part) return RULE_SYNTAX
      const words = this.firstArgs.get(command.id) ?? []
      if (!words.includes(part.toLowerCase())) words.push(part.toLowerCase())
      this.firstArgs.set(command.id, words)
    }
    this.remember(name.toLowerCase(), '+')
    return undefined
  }

  private setEntry(entry: TableEntry, sign: '+' | '-'): void {
    const value = sign === '+' ? 1 : 0
    this.allowed[entry.id] = value
    this.firstArgs.delete(entry.id)
    for (const sub of entry.subs) this.allowed[sub.id] = value
  }

  /** Appends a rule, which replaces older ones of the same command and of its parts. */
  private remember(name: string, sign: '+' | '-'): void {
    this.rules = this.rules.filter(rule => rule.slice(1) !== name && !rule.startsWith(`${name}|`, 1))
    this.rules.push(sign + name)
  }

  // ---- questions ----

  /** Every command on every key and channel, without an exception. */
  get allowsEverything(): boolean {
    return this.futureCommands && this.rules.length === 0 && this.allKeys && this.allChannels
  }

  /** Whether the command may run whatever its arguments are. */
  passes(entry: TableEntry): boolean {
    return (
      (this.allowed[entry.id] === 1 || (entry.flags & CMD_NO_AUTH) !== 0) &&
      (this.allKeys || !entry.hasKeys()) &&
      (this.allChannels || !namesChannels(entry))
    )
  }

  allowsCommand(entry: TableEntry, args: Slice[], argc: number): boolean {
    if (this.allowed[entry.id] === 1 || (entry.flags & CMD_NO_AUTH) !== 0) return true
    const words = argc < 2 ? undefined : this.firstArgs.get(entry.id)
    return words?.includes(cText(args[1].latin1()).toLowerCase()) === true
  }

  /** Index of the first key that is refused, or -1. */
  refusedKey(args: Slice[], keys: KeyPositions): number {
    if (this.allKeys) return -1
    for (let i = 0; i < keys.count; i++) {
      const at = keys.positions[i]
      if (!this.allowsKey(args[at], accessOf(keys.flags[i]))) return at
    }
    return -1
  }

  /** Whether the command may run if allowsKey() of its first argument, with the access that comes back; 0: ask all. */
  accessOfOnlyKey(entry: TableEntry): number {
    if (this.allowed[entry.id] !== 1 || (!this.allChannels && namesChannels(entry))) return 0
    const flags = flagsOfOnlyKey(entry)
    return (flags & KEY_VARIABLE_FLAGS) !== 0 ? READ_AND_WRITE : accessOf(flags)
  }

  /** `needed`: READ, WRITE or both. */
  allowsKey(key: Slice, needed: number): boolean {
    const patterns = this.keyPatterns
    for (let i = 0; i < patterns.length; i++) {
      const { access, glob, prefix } = patterns[i]
      if ((access & needed) !== needed) continue
      if (prefix > 0 ? beginsWith(key, glob, prefix) : globMatch(glob, key)) return true
    }
    return false
  }

  /** Whether every key may be accessed so; `flags`: KEY_ bits. */
  allowsAnyKey(flags: number): boolean {
    const needed = accessOf(flags)
    return this.allKeys || this.keyPatterns.some(one => (one.access & needed) === needed && cText(one.text) === '*')
  }

  /** Index of the first channel that is refused, or -1. */
  refusedChannel(entry: TableEntry, args: Slice[], argc: number): number {
    if (this.allChannels || !namesChannels(entry)) return -1
    const { channels, channelUses } = entry.command
    if (channelUses !== undefined) {
      for (const { at, isPattern } of channelUses(args.slice(0, argc)))
        if (!this.allowsChannel(args[at], isPattern)) return at
      return -1
    }
    const end = channels === 'publish' ? 2 : argc
    for (let i = 1; i < end; i++) if (!this.allowsChannel(args[i], channels === 'psubscribe')) return i
    return -1
  }

  /** A channel is matched; a pattern must be the very pattern of a rule. */
  allowsChannel(name: Slice, isPattern: boolean): boolean {
    if (this.allChannels) return true
    if (isPattern) {
      const text = cText(name.latin1())
      return this.channelPatterns.some(pattern => cText(pattern.text) === text)
    }
    for (const { glob } of this.channelPatterns) if (globMatch(glob, name)) return true
    return false
  }

  // ---- texts ----

  get commandsText(): string {
    return [this.futureCommands ? '+@all' : '-@all', ...this.rules].join(' ')
  }

  get keysText(): string {
    if (this.allKeys) return '~*'
    return this.keyPatterns.map(({ access, text }) => `${SIGN_OF_ACCESS[access]}${text}`).join(' ')
  }

  get channelsText(): string {
    return this.allChannels ? '&*' : this.channelTexts.map(text => `&${text}`).join(' ')
  }

  get channelTexts(): readonly string[] {
    return this.channelPatterns.map(({ text }) => text)
  }

  /** As in ACL LIST. */
  get text(): string {
    const channels = this.allChannels ? '&*' : ['resetchannels', this.channelsText].join(' ').trimEnd()
    return [this.keysText, channels, this.commandsText].filter(part => part !== '').join(' ')
  }
}

const SIGN_OF_ACCESS = ['', '%R~', '%W~', '~']

function accessOf(keyFlags: number): number {
  return ((keyFlags & KEY_READS) !== 0 ? READ : 0) | ((keyFlags & KEY_WRITES) !== 0 ? WRITE : 0)
}

/** Bytes before the star that ends a pattern of plain bytes, else 0. */
function prefixOf(pattern: string): number {
  const bytes = pattern.length - 1
  if (pattern[bytes] !== '*') return 0
  for (let i = 0; i < bytes; i++) if ('*?[\\'.includes(pattern[i])) return 0
  return bytes
}

function beginsWith(text: Slice, prefix: Slice, bytes: number): boolean {
  if (text.len < bytes) return false
  const [a, b] = [text.u8, prefix.u8]
  const [from, other] = [text.off, prefix.off]
  for (let i = 0; i < bytes; i++) if (a[from + i] !== b[other + i]) return false
  return true
}

/** Whether it publishes or subscribes; unsubscribing is always allowed. */
function namesChannels({ command: { channels, channelUses } }: TableEntry): boolean {
  if (channelUses !== undefined) return true
  return channels === 'publish' || channels === 'subscribe' || channels === 'psubscribe'
}

/** White space or NUL, which names and patterns must not contain: they could not be read back. */
export function hasBlanks(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0 || code === 32 || (code >= 9 && code <= 13)) return true
  }
  return false
}
