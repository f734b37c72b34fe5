// The limits on clients, and how a client crosses each of them. limits.test.ts asserts what becomes of it, latency.ts
// measures what others notice.

import { encodeCommand, latin1Bytes } from '../harness/resp.ts'
import { type Attacking, type Bystanding, STATES, type State } from './attacker.ts'

/** Directives that all of them need. */
export const BASE = { 'notify-keyspace-events': 'Km', 'repl-diskless-sync-delay': '0' }
const FLOOD_BYTES = 1 << 20

export interface Limit {
  readonly name: string
  readonly directives: Record<string, string>
  cross(attacker: Attacking, state: State, bystander: Bystanding): Promise<void>
  /** Input that is not parsed while the client waits breaks no rule before. */
  readonly isParsed?: true
  /** Only these states can cross it. */
  readonly states?: (state: State) => boolean
}

const outputLimit = (hard: string, soft: string, seconds: string) =>
  ['normal', 'replica', 'pubsub'].map(type => `${type} ${hard} ${soft} ${seconds}`).join(' ')

/** An argument of which the end never comes, or, where nothing is parsed, whole commands. */
async function endlessInput(attacker: Attacking, { isHalf, release, name }: State): Promise<void> {
  const isWhole = release !== undefined || name === 'closing'
  if (!isWhole) attacker.send(latin1Bytes(`${isHalf ? '' : '*2\r\n$4\r\nECHO\r\n'}$100000000\r\n`))
  const piece = isWhole ? encodeCommand(['ECHO', 'x'.repeat(1000)]) : latin1Bytes('x'.repeat(1000))
  for (let bytes = 0; bytes < 3 * FLOOD_BYTES; bytes += piece.length) attacker.send(piece)
}

const flood: Limit['cross'] = (attacker, state, bystander) => state.flood(attacker, bystander)

const LIMITS: readonly Limit[] = [
  { name: 'client-query-buffer-limit', directives: { 'client-query-buffer-limit': '1mb' }, cross: endlessInput },
  {
    name: 'the hard output limit',
    directives: { 'client-output-buffer-limit': outputLimit('1mb', '0', '0') },
    cross: flood,
  },
  {
    name: 'the soft output limit',
    directives: { 'client-output-buffer-limit': outputLimit('1gb', '1mb', '1') },
    cross: flood,
  },
  {
    name: 'maxmemory-clients',
    directives: { 'maxmemory-clients': '2mb' },
    cross: endlessInput,
    // Replicas are not evicted, in Redis either.
    states: ({ name }) => name !== 'replica',
  },
  {
    name: 'the length of a bulk',
    directives: { 'proto-max-bulk-len': '1mb' },
    isParsed: true,
    cross: async (attacker, { isHalf }) =>
      attacker.send(latin1Bytes(isHalf ? '$1048577\r\n' : '*2\r\n$4\r\nECHO\r\n$1048577\r\n')),
  },
  {
    name: 'the number of arguments',
    directives: {},
    isParsed: true,
    cross: async attacker => attacker.send(latin1Bytes('*2147483648\r\n')),
  },
  {
    name: 'the length of an inline command',
    directives: {},
    isParsed: true,
    cross: async attacker => attacker.send(latin1Bytes('i'.repeat(70_000))),
  },
]

/** Each limit with each state that can cross it. */
export const CROSSINGS = LIMITS.flatMap(limit =>
  STATES.filter(state => limit.states?.(state) !== false).map(state => ({ limit, state })),
)
