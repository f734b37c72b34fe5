// The `sentinel` lines of the configuration file: settings, and the state that survives a restart.
//
//   sentinel monitor mymaster 10.0.0.1 6379 2
//   sentinel known-replica mymaster 10.0.0.2 6379
//   sentinel config-epoch mymaster 3
//
// Always: lines are read in three passes, whatever their order: settings of the whole sentinel, primaries, the rest.

import { quotedIfNeeded } from '../lib/words.ts'
import { sameAddress } from './addresses.ts'
import type { Primary } from './instance.ts'
import type { AddFailure, Sentinel } from './sentinel.ts'

/** Why a line is invalid, in redis-sentinel's words. */
type Refusal = string | undefined

type OptionReader = (sentinel: Sentinel, words: readonly string[]) => Refusal
type PrimaryReader = (sentinel: Sentinel, primary: Primary, words: readonly string[]) => Refusal

const ID_CHARS = 40

/** Options of the whole sentinel: each has one word. */
const GLOBAL = new Map<string, OptionReader>([
  ['announce-ip', ({ settings }, [ip]) => void (settings.announceIp = ip)],
  ['announce-port', ({ settings }, [port]) => void (settings.announcePort = integer(port))],
  ['sentinel-user', ({ settings }, [user]) => void (settings.authUser = user)],
  ['sentinel-pass', ({ settings }, [password]) => void (settings.authPass = password)],
  [
    'deny-scripts-reconfig',
    yesNo(
      'Please specify yes or no for the deny-scripts-reconfig options.',
      ({ settings }, yes) => void (settings.denyScriptsReconfig = yes),
    ),
  ],
  [
    'resolve-hostnames',
    yesNo(
      'Please specify yes or no for the resolve-hostnames option.',
      ({ addresses }, yes) => void (addresses.resolveHostnames = yes),
    ),
  ],
  [
    'announce-hostnames',
    yesNo(
      'Please specify yes or no for the announce-hostnames option.',
      ({ addresses }, yes) => void (addresses.announceHostnames = yes),
    ),
  ],
  [
    'current-epoch',
    (sentinel, [epoch]) => void (sentinel.currentEpoch = Math.max(sentinel.currentEpoch, integer(epoch))),
  ],
  [
    'myid',
    (sentinel, [id]) => {
      if (id.length !== ID_CHARS) return 'Malformed Sentinel id in myid option.'
      sentinel.id = id
      return undefined
    },
  ],
])

/** Options of a primary, whose name is the first word: [number of further words, reader]. */
const OF_PRIMARY = new Map<string, readonly [words: number, read: PrimaryReader]>([
  [
    'down-after-milliseconds',
    [1, time(1, 'negative or zero time parameter.', (primary, ms) => primary.setDownAfter(ms))],
  ],
  [
    'failover-timeout',
    [1, time(1, 'negative or zero time parameter.', ({ settings }, ms) => void (settings.failoverTimeoutMs = ms))],
  ],
  ['parallel-syncs', [1, (_, { settings }, [count]) => void (settings.parallelSyncs = integer(count))]],
  [
    'notification-script',
    [
      1,
      script(
        'Notification script seems non existing or non executable.',
        ({ settings }, path) => void (settings.notificationScript = path),
      ),
    ],
  ],
  [
    'client-reconfig-script',
    [
      1,
      script(
        'Client reconfiguration script seems non existing or non executable.',
        ({ settings }, path) => void (settings.clientReconfigScript = path),
      ),
    ],
  ],
  ['auth-pass', [1, (_, { settings }, [password]) => void (settings.authPass = password)]],
  ['auth-user', [1, (_, { settings }, [user]) => void (settings.authUser = user)]],
  [
    'config-epoch',
    [
      1,
      (sentinel, primary, [epoch]) => {
        primary.configEpoch = integer(epoch)
        sentinel.currentEpoch = Math.max(sentinel.currentEpoch, primary.configEpoch)
        return undefined
      },
    ],
  ],
  ['leader-epoch', [1, (_, primary, [epoch]) => void (primary.leaderEpoch = integer(epoch))]],
  ['known-slave', [2, knownReplica]],
  ['known-replica', [2, knownReplica]],
  [
    'known-sentinel',
    [3, (sentinel, primary, [ip, port, id]) => failure(sentinel.addPeer(primary, id, ip, integer(port)), 'sentinel')],
  ],
  [
    'rename-command',
    [
      2,
      (_, { settings }, [from, to]) => {
        if (settings.renamed.has(from.toLowerCase())) return 'Same command renamed multiple times with rename-command.'
        settings.renamed.set(from.toLowerCase(), [from, to])
        return undefined
      },
    ],
  ],
  [
    'master-reboot-down-after-period',
    [1, time(0, 'negative time parameter.', ({ settings }, ms) => void (settings.rebootDownAfterMs = ms))],
  ],
])

function knownReplica(sentinel: Sentinel, primary: Primary, [host, port]: readonly string[]): Refusal {
  return failure(sentinel.addReplica(primary, host, integer(port)), 'slave')
}

/** The integer at the beginning of a word, as atoi reads it. */
function integer(word: string): number {
  return Number.parseInt(word, 10) || 0
}

function yesNo(refusal: string, set: (sentinel: Sentinel, yes: boolean) => void): OptionReader {
  return (sentinel, [word]) => {
    const lower = word.toLowerCase()
    if (lower !== 'yes' && lower !== 'no') return refusal
    set(sentinel, lower === 'yes')
    return undefined
  }
}

/** Milliseconds, `min` at least. */
function time(min: number, refusal: string, set: (primary: Primary, ms: number) => void): PrimaryReader {
  return (_, primary, [word]) => {
    const ms = integer(word)
    if (ms < min) return refusal
    set(primary, ms)
    return undefined
  }
}

function script(refusal: string, set: (primary: Primary, path: string) => void): PrimaryReader {
  return ({ host }, primary, [path]) => {
    if (!host.isExecutable(path)) return refusal
    set(primary, path)
    return undefined
  }
}

const DUPLICATE = {
  master: 'Duplicate master name.',
  slave: 'Duplicate hostname and port for replica.',
  sentinel: 'Duplicate runid for sentinel.',
}

/** The error text for an instance that could not be added; undefined: it could. */
export function failure(added: object | AddFailure, kind: keyof typeof DUPLICATE): Refusal {
  if (added === 'duplicate') return DUPLICATE[kind]
  if (added === 'host') return "Can't resolve instance hostname."
  return added === 'port' ? 'Invalid port number.' : undefined
}

export interface SentinelLine {
  /** After 'sentinel'. */
  readonly words: readonly string[]
  /** Its number and text, for an error. */
  readonly line: number
  readonly text: string
}

/** Applies the lines; returns the first that is invalid. */
export function readLines(sentinel: Sentinel, lines: readonly SentinelLine[]): [SentinelLine, string] | undefined {
  const passOf = ({ words }: SentinelLine) => {
    const name = words[0].toLowerCase()
    return name === 'monitor' ? 1 : GLOBAL.has(name) ? 0 : 2
  }
  for (const pass of [0, 1, 2])
    for (const line of lines) {
      const refusal = passOf(line) === pass ? readLine(sentinel, line.words) : undefined
      if (refusal !== undefined) return [line, refusal]
    }
  return undefined
}

function readLine(sentinel: Sentinel, words: readonly string[]): Refusal {
  const name = words[0].toLowerCase()
  const rest = words.slice(1)
  if (name === 'monitor' && rest.length === 4) {
    const [primary, host, port, quorum] = rest
    if (integer(quorum) <= 0) return 'Quorum must be 1 or greater.'
    return failure(sentinel.addPrimary(primary, host, integer(port), integer(quorum)), 'master')
  }
  const global = GLOBAL.get(name)
  if (global !== undefined && rest.length === 1) return global(sentinel, rest)
  const option = OF_PRIMARY.get(name)
  // The form of old versions, without the run id, says too little.
  if (name === 'known-sentinel' && rest.length === 3) return undefined
  if (option === undefined || rest.length !== option[0] + 1) return 'Unrecognized sentinel configuration statement.'
  const primary = sentinel.primaries.get(rest[0])
  if (primary === undefined) return 'No such master with specified name.'
  return option[1](sentinel, primary, rest.slice(1))
}

/** The hosts of all lines that name one: to be resolved before they are read. */
export function hostsOf(lines: readonly SentinelLine[]): string[] {
  const HOST_AT = 2
  const names = ['monitor', 'known-replica', 'known-slave', 'known-sentinel']
  return lines.flatMap(({ words }) =>
    names.includes(words[0].toLowerCase()) && words.length > HOST_AT ? [words[HOST_AT]] : [],
  )
}

// ---- writing ----

/** A line that is not needed (a default) replaces an old one of its option, but is not added. */
interface StateLine {
  readonly text: string
  readonly needed: boolean
}

/** Lines by option, in the order in which they are added to a file: 'sentinel monitor' ─▶ its lines. */
type LinesByOption = Map<string, StateLine[]>

/** All lines that express settings and state. An option without lines is there too: its old lines are obsolete. */
export function linesOf(sentinel: Sentinel): LinesByOption {
  const lines: LinesByOption = new Map()
  const add = (option: string, ...values: (string | number)[]) => {
    const key = `sentinel ${option}`
    if (!lines.has(key)) lines.set(key, [])
    if (values.length > 0) lines.get(key)!.push({ text: `${key} ${values.join(' ')}`, needed: true })
  }
  const addSwitch = (option: string, on: boolean, initially: boolean) => {
    const text = `sentinel ${option} ${on ? 'yes' : 'no'}`
    lines.set(`sentinel ${option}`, [{ text, needed: on !== initially }])
  }
  const { settings, addresses } = sentinel
  add('myid', sentinel.id)
  addSwitch('deny-scripts-reconfig', settings.denyScriptsReconfig, true)
  addSwitch('resolve-hostnames', addresses.resolveHostnames, false)
  addSwitch('announce-hostnames', addresses.announceHostnames, false)
  for (const primary of sentinel.primaries.values()) addPrimaryLines(sentinel, primary, add)
  add('current-epoch', sentinel.currentEpoch)
  if (settings.announceIp !== '') add('announce-ip', quotedIfNeeded(settings.announceIp))
  if (settings.announcePort !== 0) add('announce-port', settings.announcePort)
  if (settings.authUser !== '') add('sentinel-user', settings.authUser)
  if (settings.authPass !== '') add('sentinel-pass', settings.authPass)
  for (const option of ['monitor', ...GLOBAL.keys(), ...OF_PRIMARY.keys()]) add(option)
  return lines
}

function addPrimaryLines(
  { timing, addresses }: Sentinel,
  primary: Primary,
  add: (option: string, ...values: (string | number)[]) => void,
): void {
  const { name, settings } = primary
  const current = primary.currentAddress
  add('monitor', name, addresses.announced(current), current.port, settings.quorum)
  if (primary.downAfterMs !== timing.defaultDownAfterMs) add('down-after-milliseconds', name, primary.downAfterMs)
  if (settings.failoverTimeoutMs !== timing.defaultFailoverTimeoutMs)
    add('failover-timeout', name, settings.failoverTimeoutMs)
  if (settings.parallelSyncs !== 1) add('parallel-syncs', name, settings.parallelSyncs)
  if (settings.notificationScript !== '') add('notification-script', name, settings.notificationScript)
  if (settings.clientReconfigScript !== '') add('client-reconfig-script', name, settings.clientReconfigScript)
  if (settings.authPass !== '') add('auth-pass', name, settings.authPass)
  if (settings.authUser !== '') add('auth-user', name, settings.authUser)
  if (settings.rebootDownAfterMs !== 0) add('master-reboot-down-after-period', name, settings.rebootDownAfterMs)
  add('config-epoch', name, primary.configEpoch)
  add('leader-epoch', name, primary.leaderEpoch)
  for (const replica of primary.replicas.values()) {
    // While the promoted replica is written as the primary, the old primary is written in its place.
    const address = sameAddress(replica.address, current) ? primary.address : replica.address
    add('known-replica', name, addresses.announced(address), address.port)
  }
  for (const peer of primary.sentinels.values())
    add('known-sentinel', name, addresses.announced(peer.address), peer.address.port, peer.name)
  for (const [from, to] of settings.renamed.values()) add('rename-command', name, from, to)
}
