// Acl: the users of one server, the check of every command against them, and the log of what was denied.
//
//   client ─▶ user ─▶ free[command]? ─▶ runs                one byte, for most commands
//                        └─▶ selectors: command, keys, channels ─▶ runs, or NOPERM and ACL LOG
//
// Always: the user 'default' exists, and stays the same object. A client whose user may do everything has no
// CLIENT_RESTRICTED flag and is not checked at all; while all users may do everything, the gate has no rule.

import { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { KeyPositions } from '../catalog/keyspecs.ts'
import type { TableEntry } from '../catalog/table.ts'
import { CLIENT_MULTI, CLIENT_PUBSUB, CLIENT_RESTRICTED, type Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import type { Gate, Place } from '../gates.ts'
import { clientLine } from '../monitoring/client-line.ts'
import { mergedRules } from './lines.ts'
import { AclLog, type Refusal } from './log.ts'
import { ALLOWED, DENIED_CHANNEL, DENIED_COMMAND, DENIED_KEY, type Selector } from './selector.ts'
import { User } from './user.ts'

export const DEFAULT_USER = 'default'

/** The ACL file; implemented by server/acl-file.ts. */
export interface AclFile {
  /** Replaces all users; an error without its code, or undefined. */
  load(): string | undefined
  /** Writes all users; false, with a log line, if that fails. */
  save(): boolean
}

export class Acl {
  readonly log = new AclLog()
  /** For INFO; CONFIG RESETSTAT leaves them, as in Redis. */
  readonly denials = { auth: 0, command: 0, key: 0, channel: 0 }
  readonly default: User
  /** Undefined without aclfile; set by the server. */
  file: AclFile | undefined
  private readonly engine: Engine
  private users = new Map<string, User>()
  /** Number of users that may not do everything. */
  private restricted = 0
  private readonly keys = new KeyPositions()
  private readonly refused = { at: 0 }

  constructor(engine: Engine) {
    this.engine = engine
    this.default = this.newDefault()
    this.users.set(DEFAULT_USER, this.default)
  }

  // ---- users ----

  user(name: string): User | undefined {
    return this.users.get(name)
  }

  /** By name, in the order of bytes. */
  get all(): User[] {
    return [...this.users.keys()].sort().map(name => this.users.get(name)!)
  }

  /** A user without any permission, not added. */
  newUser(name: string): User {
    return new User(name, this.engine.table, () => this.engine.settings.aclPubsubDefault === 'allchannels')
  }

  private newDefault(): User {
    const user = this.newUser(DEFAULT_USER)
    for (const rule of ['+@all', '~*', '&*', 'on', 'nopass']) user.apply(rule)
    user.compile()
    return user
  }

  /** ACL SETUSER: applies all rules or none. Returns an error without its code, or undefined. */
  setUser(name: string, rules: readonly string[]): string | undefined {
    const merged = mergedRules(rules)
    if (typeof merged === 'number') return `Unmatched parenthesis in acl selector starting at '${rules[merged]}'.`
    const known = this.users.get(name)
    const changed = known?.copy() ?? this.newUser(name)
    for (const rule of merged) {
      const refusal = changed.apply(rule)
      if (refusal !== undefined) return `Error in ACL SETUSER modifier '${cText(rule)}': ${refusal}`
    }
    changed.compile()
    if (known === undefined) this.add(changed)
    else {
      this.disconnectSubscribers(known, changed)
      this.change(known, changed)
    }
    return undefined
  }

  /** False: there is no such user. Its clients are disconnected. */
  deleteUser(name: string): boolean {
    const user = this.users.get(name)
    if (user === undefined || user === this.default) return false
    this.users.delete(name)
    if (!user.isUnrestricted) this.restricted--
    this.setGate()
    this.disconnectClients(user)
    return true
  }

  /** ACL LOAD: these are all users from now on; clients of any other than 'default' are disconnected. */
  replaceAll(users: readonly User[]): void {
    const old = this.users
    this.users = new Map([[DEFAULT_USER, this.default]])
    this.restricted = this.default.isUnrestricted ? 0 : 1
    for (const user of users) if (user.name !== DEFAULT_USER) this.add(user)
    const fresh = users.find(user => user.name === DEFAULT_USER)
    this.change(this.default, fresh ?? this.newDefault())
    for (const user of old.values()) if (user !== this.default) this.disconnectClients(user)
  }

  /** requirepass: the only password of 'default'; '' for none. */
  setDefaultPassword(password: string): void {
    this.default.apply('resetpass')
    this.default.apply(password === '' ? 'nopass' : `>${password}`)
  }

  add(user: User): void {
    this.users.set(user.name, user)
    if (!user.isUnrestricted) this.restricted++
    this.setGate()
  }

  /** Gives 'default' these rules instead of its own. */
  replaceDefault(user: User): void {
    this.change(this.default, user)
  }

  /** Commands have come or gone: what users may run follows from their rules anew. */
  commandsChanged(): void {
    for (const user of this.users.values()) this.changed(user, () => user.recompute())
  }

  private change(user: User, to: User): void {
    this.changed(user, () => user.become(to))
  }

  private changed(user: User, change: () => void): void {
    const was = user.isUnrestricted
    change()
    if (was === user.isUnrestricted) return
    this.restricted += was ? 1 : -1
    for (const client of this.engine.clients.values()) if (client.user === user) this.assign(client, user)
    this.setGate()
  }

  private setGate(): void {
    this.engine.gates.set('acl', this.restricted === 0 ? undefined : this.judge)
  }

  // ---- clients ----

  /** The client acts as this user from now on. */
  assign(client: Client, user: User): void {
    client.user = user
    if (user.isUnrestricted) client.flags &= ~CLIENT_RESTRICTED
    else client.flags |= CLIENT_RESTRICTED
  }

  /** The client acts as a user of another server of the same commands, who is a user of this one from now on. */
  adopt(client: Client, user: User): void {
    if (user.name === DEFAULT_USER) this.replaceDefault(user)
    else if (this.users.get(user.name) === undefined) this.add(user)
    this.assign(client, this.users.get(user.name)!)
  }

  /** A new connection, or RESET: 'default', logged in unless that needs a password. */
  reset(client: Client): void {
    this.assign(client, this.default)
    client.authenticated = this.isOpen
  }

  /** Nobody has to log in: the default user is on and needs no password. */
  get isOpen(): boolean {
    return this.default.isNopass && this.default.isOn
  }

  private disconnectClients(user: User): void {
    for (const client of [...this.engine.clients.values()]) {
      if (client.user !== user) continue
      this.assign(client, this.default)
      client.authenticated = false
      this.engine.closeClient(client, client === this.engine.current)
    }
  }

  /** Disconnects clients that are subscribed to what their user, about to change, may no longer hear. */
  private disconnectSubscribers(user: User, changed: User): void {
    const { clients, current } = this.engine
    const { selectors } = changed
    if (selectors.some(one => one.allChannels)) return
    const upcoming = new Set(selectors.flatMap(one => one.channelTexts))
    const loses = (one: Selector) => one.allChannels || one.channelTexts.some(text => !upcoming.has(text))
    if (!user.selectors.some(loses)) return
    for (const client of [...clients.values()]) {
      if (client.user !== user || !client.has(CLIENT_PUBSUB)) continue
      const { patterns, channels, shardChannels } = client
      const keeps = (names: Iterable<string> = [], isPattern = false) =>
        [...names].every(name => selectors.some(one => one.allowsChannel(Slice.of(name), isPattern)))
      if (!keeps(patterns, true) || !keeps(channels) || !keeps(shardChannels))
        this.engine.closeClient(client, client === current)
    }
  }

  // ---- checks ----

  /** Whether the user may run the command; nothing is logged. */
  permits(user: User | undefined, entry: TableEntry, args: Slice[], argc: number): boolean {
    if (user === undefined || user.passes(entry) || user.passesOnFirst(entry, args)) return true
    return user.judge(entry, args, argc, this.keys, this.refused) === ALLOWED
  }

  /** As permits(), on any key besides those it names; `flags`: KEY_ bits. For SORT's BY and GET. */
  permitsOnAnyKey(user: User | undefined, entry: TableEntry, args: Slice[], argc: number, flags: number): boolean {
    return user === undefined || user.isUnrestricted || user.allowsOnAnyKey(entry, args, argc, this.keys, flags)
  }

  /** ACL DRYRUN: undefined, or why the user may not run the command. */
  dryRun(user: User, entry: TableEntry, args: Slice[]): string | undefined {
    const denied = user.judge(entry, args, args.length, this.keys, this.refused)
    if (denied === ALLOWED) return undefined
    if (denied === DENIED_COMMAND) return noCommand(user, entry)
    const kind = denied === DENIED_KEY ? 'key' : 'channel'
    return `User ${user.name} has no permissions to access the '${args[this.refused.at].latin1()}' ${kind}`
  }

  /** The rule of the gate 'acl'. */
  readonly judge: Gate = (client, entry, args, argc, _flags, place) => {
    const { user } = client
    if (user === undefined || user.passes(entry) || user.passesOnFirst(entry, args)) return undefined
    const denied = user.judge(entry, args, argc, this.keys, this.refused)
    return denied === ALLOWED ? undefined : this.refuse(client, user, denied, entry, args, argc, place)
  }

  private refuse(
    client: Client,
    user: User,
    denied: number,
    entry: TableEntry,
    args: Slice[],
    argc: number,
    place: Place,
  ): Uint8Array {
    if (place === 'client') client.lastCommand = entry
    const object = denied === DENIED_COMMAND ? entry.fullName : args[this.refused.at].latin1()
    const isQueued = place === 'exec' || client.has(CLIENT_MULTI)
    const context = CONTEXTS.get(place) ?? (isQueued ? 'multi' : 'toplevel')
    this.record(client, { reason: REASONS[denied], context, object, username: user.name }, { args, argc })
    this.engine.observers.audit.tell(client, 'denied', { command: entry.fullName, reason: REASONS[denied], object })
    if (place === 'exec') return errorBytes(EXEC_REASONS[denied])
    const why = denied === DENIED_COMMAND ? noCommand(user, entry) : TERSE[denied]
    return errorBytes(place === 'script' ? `ERR ACL failure in script: ${why}` : `NOPERM ${why}`)
  }

  /** Counts it and adds it to ACL LOG. */
  record(
    client: Client,
    refusal: Omit<Refusal, 'clientInfo'>,
    running: { readonly args: readonly Slice[]; readonly argc: number },
  ): void {
    const { current, keyspace, settings } = this.engine
    this.denials[refusal.reason]++
    const clientInfo = clientLine(current ?? client, keyspace.nowMs, running)
    this.log.add({ ...refusal, clientInfo }, keyspace.nowMs, settings.acllogMaxLen)
  }
}

/** In ACL LOG, of commands that no client has sent. */
const CONTEXTS: ReadonlyMap<Place, 'lua' | 'module'> = new Map([
  ['script', 'lua'],
  ['module', 'module'],
])

const REASONS: Record<number, 'command' | 'key' | 'channel'> = {
  [DENIED_COMMAND]: 'command',
  [DENIED_KEY]: 'key',
  [DENIED_CHANNEL]: 'channel',
}

const TERSE: Record<number, string> = {
  [DENIED_KEY]: 'No permissions to access a key',
  [DENIED_CHANNEL]: 'No permissions to access a channel',
}

const RULES_CHANGED =
  'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no ' +
  'longer allowed for the following reason: '

const EXEC_REASONS: Record<number, string> = {
  [DENIED_COMMAND]: `${RULES_CHANGED}no permission to execute the command or subcommand`,
  [DENIED_KEY]: `${RULES_CHANGED}no permission to touch the specified keys`,
  [DENIED_CHANNEL]: `${RULES_CHANGED}no permission to access one of the channels used as arguments`,
}

function noCommand(user: User, entry: TableEntry): string {
  return `User ${user.name} has no permissions to run the '${entry.fullName}' command`
}
