// SENTINEL SET, CONFIG and DEBUG: changing settings while a sentinel runs.

import type { Context } from '../engine/context.ts'
import { globMatch } from '../lib/glob.ts'
import { PORT_MAX } from '../lib/limits.ts'
import { parseInt64 } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import type { LogLevel } from '../system/system.ts'
import type { Primary } from './instance.ts'
import { replySaved } from './replies.ts'
import type { Sentinel } from './sentinel.ts'
import { TIMING_NAMES } from './timing.ts'

const SCRIPTS_DENIED =
  'ERR Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration'

/** An error text instead of a change. */
type Outcome = string | undefined

// ---- SET ----

interface PrimaryOption {
  words: 1 | 2
  /** Its value is a secret. */
  secret?: true
  /** `invalid` names a word as invalid. */
  set(sentinel: Sentinel, primary: Primary, values: readonly Slice[], invalid: (value: Slice) => string): Outcome
}

function number(min: number, set: (primary: Primary, n: number) => void): PrimaryOption {
  return {
    words: 1,
    set(_, primary, [value], invalid) {
      const n = parseInt64(value)
      if (!(n >= min)) return invalid(value)
      set(primary, n)
      return undefined
    },
  }
}

function script(set: (primary: Primary, path: string) => void, missing: string): PrimaryOption {
  return {
    words: 1,
    set(sentinel, primary, [value]) {
      const path = value.latin1()
      if (sentinel.settings.denyScriptsReconfig) return SCRIPTS_DENIED
      if (path !== '' && !sentinel.host.isExecutable(path)) return missing
      set(primary, path)
      return undefined
    },
  }
}

function credential(set: (primary: Primary, text: string) => void, secret?: true): PrimaryOption {
  return {
    words: 1,
    secret,
    set(_, primary, [value]) {
      set(primary, value.latin1())
      for (const one of [primary, ...primary.replicas.values()]) {
        one.link.close()
        one.link.trouble = ''
      }
      return undefined
    },
  }
}

const OPTIONS = new Map<string, PrimaryOption>([
  ['down-after-milliseconds', number(1, (primary, ms) => primary.setDownAfter(ms))],
  ['failover-timeout', number(1, (primary, ms) => void (primary.settings.failoverTimeoutMs = ms))],
  ['parallel-syncs', number(1, (primary, count) => void (primary.settings.parallelSyncs = count))],
  [
    'notification-script',
    script(
      (primary, path) => void (primary.settings.notificationScript = path),
      'ERR Notification script seems non existing or non executable',
    ),
  ],
  [
    'client-reconfig-script',
    script(
      (primary, path) => void (primary.settings.clientReconfigScript = path),
      'ERR Client reconfiguration script seems non existing or non executable',
    ),
  ],
  ['auth-pass', credential((primary, password) => void (primary.settings.authPass = password), true)],
  ['auth-user', credential((primary, user) => void (primary.settings.authUser = user))],
  ['quorum', number(1, (primary, count) => void (primary.settings.quorum = count))],
  ['rename-command', { words: 2, set: rename }],
  ['master-reboot-down-after-period', number(0, (primary, ms) => void (primary.settings.rebootDownAfterMs = ms))],
])

function rename(
  _: Sentinel,
  { settings }: Primary,
  [from, to]: readonly Slice[],
  invalid: (value: Slice) => string,
): Outcome {
  if (from.len === 0 || to.len === 0) return invalid(to.len === 0 ? to : from)
  const [oldName, newName] = [from.latin1(), to.latin1()]
  settings.renamed.delete(oldName.toLowerCase())
  if (oldName.toLowerCase() !== newName.toLowerCase()) settings.renamed.set(oldName.toLowerCase(), [oldName, newName])
  return undefined
}

/** SET name option value ...: options are applied one by one, up to the first that is invalid. */
export function setOptions(sentinel: Sentinel, ctx: Context, primary: Primary): void {
  const { args, argc, reply } = ctx
  let changes = 0
  const fail = (text: string) => {
    reply.error(text)
    if (changes > 0) sentinel.save()
  }
  for (let i = 3; i < argc; ) {
    const name = args[i].latin1()
    const option = OPTIONS.get(name.toLowerCase())
    if (option === undefined || i + option.words >= argc)
      return fail(`ERR Unknown option or number of arguments for SENTINEL SET '${name}'`)
    const values = args.slice(i + 1, i + 1 + option.words)
    const invalid = (value: Slice) => `ERR Invalid argument '${value.latin1()}' for SENTINEL SET '${name}'`
    const refusal = option.set(sentinel, primary, values, invalid)
    if (refusal !== undefined) return fail(refusal)
    changes++
    const shown = option.secret ? '******' : values.map(value => value.latin1()).join(' ')
    sentinel.events.about(primary, 'warning', '+set', ` ${name} ${shown}`)
    i += 1 + option.words
  }
  if (changes > 0) replySaved(sentinel, reply)
}

// ---- CONFIG ----

interface GlobalOption {
  get(sentinel: Sentinel): string
  /** False: the value is invalid, nothing was set. `check`: it is only to be checked. */
  set(sentinel: Sentinel, value: Slice, check: boolean): boolean
  /** Connections to other sentinels are opened anew. */
  reconnects?: true
}

function yesNo(get: (sentinel: Sentinel) => boolean, set: (sentinel: Sentinel, yes: boolean) => void): GlobalOption {
  return {
    get: sentinel => (get(sentinel) ? 'yes' : 'no'),
    set(sentinel, value, check) {
      const word = value.latin1().toLowerCase()
      if (word !== 'yes' && word !== 'no') return false
      if (!check) set(sentinel, word === 'yes')
      return true
    },
  }
}

function text(
  get: (sentinel: Sentinel) => string,
  set: (sentinel: Sentinel, value: string) => void,
  reconnects?: true,
): GlobalOption {
  return {
    get,
    reconnects,
    set(sentinel, value, check) {
      if (!check) set(sentinel, value.latin1())
      return true
    },
  }
}

const LOG_LEVELS: readonly (LogLevel | 'nothing')[] = ['debug', 'verbose', 'notice', 'warning', 'nothing']

/** In the order of CONFIG GET. */
const GLOBALS = new Map<string, GlobalOption>([
  [
    'resolve-hostnames',
    yesNo(
      ({ addresses }) => addresses.resolveHostnames,
      ({ addresses }, yes) => void (addresses.resolveHostnames = yes),
    ),
  ],
  [
    'announce-hostnames',
    yesNo(
      ({ addresses }) => addresses.announceHostnames,
      ({ addresses }, yes) => void (addresses.announceHostnames = yes),
    ),
  ],
  [
    'announce-ip',
    text(
      ({ settings }) => settings.announceIp,
      ({ settings }, ip) => void (settings.announceIp = ip),
    ),
  ],
  [
    'announce-port',
    {
      get: ({ settings }) => String(settings.announcePort),
      set({ settings }, value, check) {
        const port = parseInt64(value)
        if (!(port >= 0 && port <= PORT_MAX)) return false
        if (!check) settings.announcePort = port
        return true
      },
    },
  ],
  [
    'sentinel-user',
    text(
      ({ settings }) => settings.authUser,
      ({ settings }, user) => void (settings.authUser = user),
      true,
    ),
  ],
  [
    'sentinel-pass',
    text(
      ({ settings }) => settings.authPass,
      ({ settings }, password) => void (settings.authPass = password),
      true,
    ),
  ],
  [
    'loglevel',
    {
      get: ({ host }) => host.logLevel(),
      set({ host }, value, check) {
        const level = LOG_LEVELS.find(one => one === value.latin1().toLowerCase())
        if (level !== undefined && !check) host.setLogLevel(level)
        return level !== undefined
      },
    },
  ],
])

/** CONFIG GET parameter ... | SET parameter value ... */
export function configure(sentinel: Sentinel, ctx: Context): void {
  if (ctx.is(2, 'set') && ctx.argc >= 5) setGlobals(sentinel, ctx)
  else if (ctx.is(2, 'get')) getGlobals(sentinel, ctx)
  else
    ctx.reply.error(
      'ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...]/ SET <param> <value> [<param> <value> ...] are supported.',
    )
}

function getGlobals(sentinel: Sentinel, { args, argc, reply }: Context): void {
  const found = new Set<string>()
  for (const pattern of args.slice(3, argc))
    for (const name of GLOBALS.keys()) if (globMatch(pattern, Slice.of(name), true)) found.add(name)
  reply.map(found.size)
  for (const name of found) {
    reply.bulkText(name)
    reply.bulk(Slice.of(GLOBALS.get(name)!.get(sentinel)))
  }
}

function setGlobals(sentinel: Sentinel, { args, argc, reply }: Context): void {
  const changes = new Map<string, [GlobalOption, Slice]>()
  for (let i = 3; i < argc; i += 2) {
    const name = args[i].latin1()
    const option = GLOBALS.get(name.toLowerCase())
    if (option === undefined) return reply.error(`ERR Invalid argument '${name}' to SENTINEL CONFIG SET`)
    if (changes.has(name.toLowerCase())) return reply.error(`ERR Duplicate argument '${name}' to SENTINEL CONFIG SET`)
    if (i + 1 === argc) return reply.error(`ERR Missing argument '${name}' value`)
    const value = args[i + 1]
    if (!option.set(sentinel, value, true))
      return reply.error(`ERR Invalid value '${value.latin1()}' to SENTINEL CONFIG SET '${name}'`)
    changes.set(name.toLowerCase(), [option, value])
  }
  let reconnects = false
  for (const [option, value] of changes.values()) {
    option.set(sentinel, value, false)
    reconnects ||= option.reconnects === true
  }
  replySaved(sentinel, reply)
  if (!reconnects) return
  for (const primary of sentinel.primaries.values()) for (const peer of primary.sentinels.values()) peer.link.close()
}

// ---- DEBUG ----

/** DEBUG [parameter milliseconds ...] */
export function debug(sentinel: Sentinel, { args, argc, reply }: Context): void {
  const { timing } = sentinel
  if (argc === 2) {
    reply.map(TIMING_NAMES.length)
    for (const [name, field] of TIMING_NAMES) {
      reply.bulkText(name)
      reply.bulkInteger(timing[field])
    }
    return
  }
  for (let i = 2; i < argc; i += 2) {
    const name = args[i].latin1()
    const known = TIMING_NAMES.find(([one]) => one === name.toUpperCase())
    if (known === undefined || i + 1 === argc)
      return reply.error(`ERR Unknown option or number of arguments for SENTINEL DEBUG '${name}'`)
    const ms = parseInt64(args[i + 1])
    if (!(ms > 0)) return reply.error(`ERR Invalid argument '${args[i + 1].latin1()}' for SENTINEL DEBUG '${name}'`)
    timing[known[1]] = ms
  }
  reply.ok()
}
