// Snapshots of servers under random commands of every kind: what is restored, into the same server and into others, has
// the digest of its moment, and a server goes on from it as from a copy through an RDB file.
//
//   STATE_SEEDS=1000 npx bun test ./src/embed/state.fuzz.test.ts

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeEpoch } from '../../test/fuzz/epoch.ts'
import { Gen } from '../../test/fuzz/gen.ts'
import { grammars } from '../../test/fuzz/grammar/index.ts'
import type { Step } from '../../test/fuzz/step.ts'
import { createServer, type EmbeddedServer, type MemorySocket, type Snapshot } from '../index.ts'

const SEEDS = Number(process.env.STATE_SEEDS ?? 12)
const FIRST = Number(process.env.STATE_FIRST ?? 1)
const COMMANDS = 150
const CONNECTIONS = 3
const ENDS_SERVER = new Set(['shutdown', 'debug', 'replicaof', 'flushall', 'client', 'quit'])
const COMMON = { 'enable-debug-command': 'yes', 'list-max-listpack-size': 4, 'hash-max-listpack-entries': 4 } as const

class Fleet {
  readonly server: EmbeddedServer
  private readonly sockets: MemorySocket[] = []

  constructor(server: EmbeddedServer) {
    this.server = server
    for (let i = 0; i < CONNECTIONS; i++) this.sockets.push(server.connect())
    for (const socket of this.sockets) socket.onData = () => {}
  }

  play(steps: readonly Step[]): void {
    for (const { connection, words } of steps) {
      let request = `*${words.length}\r\n`
      for (const word of words) request += `$${word.length}\r\n${word}\r\n`
      this.sockets[connection].write(Uint8Array.from(request, char => char.charCodeAt(0)))
    }
  }
}

/** Every key's digest, and the expiries. */
function stateOf(server: EmbeddedServer): string {
  const socket = server.connect()
  let text = ''
  socket.onData = bytes => {
    text += new TextDecoder('latin1').decode(bytes)
  }
  socket.write('DEBUG DIGEST\r\nFUNCTION DUMP\r\nINFO keyspace\r\n')
  socket.close()
  return text.split('avg_ttl').join('')
}

const figure = (server: EmbeddedServer, name: string) =>
  Number(new RegExp(`${name}:(\\d+)`).exec(String(server.callSync('INFO')))?.[1])

test('what is restored is what it was', async () => {
  const commands = Object.values(grammars)
    .flat()
    .filter(({ name }) => !ENDS_SERVER.has(name.toLowerCase().split(' ')[0]))
  let restored = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const g = new Gen(seed)
    const server = await createServer({ clock: { mode: 'virtual', startMs: 1_700_000_000_000 }, config: COMMON })
    const fleet = new Fleet(server)
    const steps = makeEpoch(commands, seed, {
      connectionCount: CONNECTIONS,
      commandCount: COMMANDS,
      protocols: [2, 3],
      state: {},
      lax: false,
      adjacent: 0.1,
      ways: ['MULTI', 'EVAL', 'FCALL'],
    } as never)
    const taken: { snapshot: Snapshot; state: string; rdb: Uint8Array }[] = []
    for (let i = 0; i < steps.length; i += 10) {
      fleet.play(steps.slice(i, i + 10))
      if (g.chance(0.3)) taken.push({ snapshot: server.snapshot(), state: stateOf(server), rdb: server.rdb() })
      if (g.chance(0.1)) server.callSync('FLUSHALL', 'ASYNC')
      const one = taken[g.number(0, Math.max(0, taken.length - 1))]
      if (one === undefined || !g.chance(0.3)) continue
      // A blocked client takes from what was restored what it waits for.
      const waiting = figure(server, 'blocked_clients')
      server.restore(one.snapshot)
      if (waiting > 0) continue
      restored++
      assert.equal(stateOf(server), one.state, `seed ${seed}, restored after ${i} commands`)
    }
    for (const { snapshot, state, rdb } of taken.slice(-2)) {
      const fork = await server.fork({ data: snapshot })
      assert.equal(stateOf(fork), state, `seed ${seed}, a fork`)
      const copy = await server.fork({ data: rdb })
      assert.equal(stateOf(copy).split('\r\n')[0], state.split('\r\n')[0], `seed ${seed}, an RDB file`)
      const emptied = [1, 2].map(() => {
        fork.restore(snapshot)
        fork.callSync('FLUSHALL', 'SYNC')
        return figure(fork, 'allocator_allocated')
      })
      assert.equal(emptied[1], emptied[0], `seed ${seed}, what restoring leaves behind`)
      await fork.close()
      await copy.close()
    }
    await server.close()
  }
  assert.ok(restored > SEEDS)
})
