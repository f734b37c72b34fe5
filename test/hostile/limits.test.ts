// Every limit on clients, crossed in every state that a client can be in: the client is closed, its memory comes back,
// and others are answered meanwhile.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCommand, latin1Bytes } from '../harness/resp.ts'
import { Attacker, LARGE, STATES, type State } from './attacker.ts'
import { Bystander, Victim } from './victim.ts'

/** What may stay: tables and buffers that a server keeps for the next client. */
const KEPT_BYTES = 1 << 20
const BASE = { 'notify-keyspace-events': 'Km', 'repl-diskless-sync-delay': '0' }
const FLOOD_BYTES = 1 << 20

interface Limit {
  readonly name: string
  readonly directives: Record<string, string>
  cross(attacker: Attacker, state: State, bystander: Bystander): Promise<void>
  /** Input that is not parsed while the client waits breaks no rule before. */
  readonly isParsed?: true
  /** Only these states can cross it. */
  readonly states?: (state: State) => boolean
}

const outputLimit = (hard: string, soft: string, seconds: string) =>
  ['normal', 'replica', 'pubsub'].map(type => `${type} ${hard} ${soft} ${seconds}`).join(' ')

/** An argument of which the end never comes, or, where nothing is parsed, whole commands. */
async function endlessInput(attacker: Attacker, { isHalf, release, name }: State): Promise<void> {
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

for (const limit of LIMITS)
  for (const state of STATES)
    if (limit.states?.(state) !== false)
      test(`${limit.name}, ${state.name}`, () =>
        Victim.treat({ ...BASE, ...limit.directives }, victim => cross(victim, limit, state)))

async function cross(victim: Victim, limit: Limit, state: State): Promise<void> {
  const bystander = await Bystander.come(victim)
  await bystander.ask(['SET', 'large', LARGE], '+OK\r\n')
  const before = victim.usedBytes
  const attacker = await Attacker.come(victim)
  await state.enter(attacker, victim, bystander)
  await limit.cross(attacker, state, bystander)
  await bystander.ask(['PING'], '+PONG\r\n')
  if (limit.isParsed && state.release) await state.release(bystander)
  // A client that is closing goes when it has read its reply.
  if (state.name === 'closing') attacker.drain()
  await victim.until('the client is closed', () => attacker.isGone)
  attacker.drain()
  await victim.until('it has seen the end', () => attacker.closed)
  await bystander.ask(['CLIENT', 'UNPAUSE'], '+OK\r\n')
  await bystander.check()
  await bystander.ask(['FLUSHALL'], '+OK\r\n')
  await victim.until('its memory is free', () => victim.usedBytes <= before + KEPT_BYTES)
  assert.equal(victim.clients, 1)
  assert.equal(victim.outputBytes, 0)
  bystander.leave()
}

for (const state of STATES)
  test(`maxclients, ${state.name}`, () =>
    Victim.treat(BASE, async victim => {
      const bystander = await Bystander.come(victim)
      await bystander.ask(['SET', 'large', LARGE], '+OK\r\n')
      const attacker = await Attacker.come(victim)
      await state.enter(attacker, victim, bystander)
      if (state.name === 'closing') await victim.until('it is closed', () => victim.clients === 1)
      await bystander.ask(['CONFIG', 'SET', 'maxclients', String(victim.clients)], '+OK\r\n')
      for (let left = 20; left > 0; left--) {
        const refused = new Bystander(await victim.open())
        await refused.refused('-ERR max number of clients reached\r\n')
      }
      await bystander.ask(['PING'], '+PONG\r\n')
      attacker.socket.destroy()
      await victim.until('only the bystander is left', () => victim.clients === 1)
      await bystander.ask(['CONFIG', 'SET', 'maxclients', '100'], '+OK\r\n')
      await bystander.ask(['CLIENT', 'UNPAUSE'], '+OK\r\n')
      await (await Bystander.come(victim)).ask(['PING'], '+PONG\r\n')
      assert.equal(victim.outputBytes, 0)
    }))
