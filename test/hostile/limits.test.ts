// Every limit on clients, crossed in every state that a client can be in: the client is closed, its memory comes back,
// and others are answered meanwhile.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attacker, LARGE, STATES, type State } from './attacker.ts'
import { BASE, CROSSINGS, type Limit } from './limits.ts'
import { Bystander, Victim } from './victim.ts'

/** What may stay: tables and buffers that a server keeps for the next client. */
const KEPT_BYTES = 1 << 20
for (const { limit, state } of CROSSINGS)
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
