// A client that is gone, from whatever state and by whatever end: no part of the server holds on to it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attacker, LARGE, STATES, type State } from './attacker.ts'
import { Bystander, Victim } from './victim.ts'

interface End {
  readonly name: string
  come(attacker: Attacker, bystander: Bystander): Promise<void>
  /** Only from these states. */
  readonly states?: (state: State) => boolean
}

const killed = (attacker: Attacker) => ['CLIENT', 'KILL', 'ID', String(attacker.client.id)]

const ENDS: readonly End[] = [
  {
    name: 'killed by another',
    // One that is closing may be gone already.
    come: (attacker, bystander) => bystander.ask(killed(attacker), /^:[01]\r\n$/),
  },
  {
    name: 'killed in a transaction that also serves it',
    come: async (attacker, bystander) => {
      await bystander.ask(['MULTI'], '+OK\r\n')
      await bystander.ask(['RPUSH', 'list', 'a'], '+QUEUED\r\n')
      await bystander.ask(['PUBLISH', 'ch', 'a'], '+QUEUED\r\n')
      await bystander.ask(killed(attacker), '+QUEUED\r\n')
      await bystander.ask(['EXEC'], /^\*3\r\n:1\r\n:[01]\r\n:[01]\r\n$/)
    },
    states: ({ name }) => name !== 'paused', // EXEC would wait as well
  },
  { name: 'dropped by its peer', come: async attacker => void attacker.socket.destroy() },
]

for (const end of ENDS)
  for (const state of STATES.filter(one => end.states?.(one) !== false))
    test(`${state.name}, ${end.name}`, () =>
      Victim.treat({ 'notify-keyspace-events': 'Km', 'repl-diskless-sync-delay': '0' }, async victim => {
        const bystander = await Bystander.come(victim)
        await bystander.ask(['SET', 'large', LARGE], '+OK\r\n')
        const attacker = await Attacker.come(victim)
        await state.enter(attacker, victim, bystander)
        await end.come(attacker, bystander)
        await victim.until('it is forgotten', () => attacker.isGone)
        await bystander.ask(['CLIENT', 'UNPAUSE'], '+OK\r\n')
        await bystander.check()
        await victim.until('nothing refers to it', () => pathTo(attacker.client, victim.server) === undefined)
        bystander.leave()
      }))

test('what refers to a client is found', () => {
  const client = { id: 1 }
  assert.equal(pathTo(client, { parts: [{ byId: new Map([[1, new Set([client])]]) }] }), '.parts.0.byId[1][]')
  assert.equal(pathTo(client, { other: { id: 1 } }), undefined)
})

/** How `wanted` is reached from `root` through properties, maps and sets; undefined: it is not. */
function pathTo(wanted: object, root: object): string | undefined {
  const seen = new Set<object>([root])
  let level: [object, string][] = [[root, '']]
  while (level.length > 0) {
    const next: [object, string][] = []
    for (const [owner, path] of level)
      for (const [value, step] of referencesOf(owner)) {
        if (value === wanted) return path + step
        if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue
        seen.add(value)
        next.push([value, path + step])
      }
    level = next
  }
  return undefined
}

function* referencesOf(owner: object): Generator<[value: unknown, step: string]> {
  if (owner instanceof Map)
    for (const [key, value] of owner) {
      yield [key, '[key]']
      yield [value, `[${typeof key === 'object' ? '' : key}]`]
    }
  if (owner instanceof Set) for (const value of owner) yield [value, '[]']
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) yield [value, `.${name}`]
}
