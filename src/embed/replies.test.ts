// Every example of a command is run, and its reply compared with the type that the client declares.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calledCommands } from '../../test/docs/argument-types.ts'
import { declaredReplies, matcherOf } from '../../test/docs/reply-types.ts'
import { COMMANDS, SETUP } from '../../test/hostile/long-commands.ts'
import { createServer, RedisError } from '../index.ts'

/** They end the server or the connection, or wait for what never comes. */
const NOT_RUN = /^(SHUTDOWN|FAILOVER|REPLICAOF|SLAVEOF|DEBUG|CLIENT REPLY|CLIENT KILL|ACL SETUSER default)/

test('replies of commands have the types that the client declares', async () => {
  const types = new Map([...declaredReplies()].map(([name, type]) => [name, matcherOf(type)]))
  const compared = new Set<string>()
  const wrong: string[] = []
  for (const line of Object.values(COMMANDS).flat()) {
    const words = line.split(' ')
    const name = types.has(words.slice(0, 2).join(' ')) ? words.slice(0, 2).join(' ') : words[0]
    const matches = types.get(name)
    if (matches === undefined || NOT_RUN.test(line)) continue
    await using server = await createServer({ config: { appendonly: true } })
    for (const setup of SETUP) server.callSync(setup.split(' ')[0], ...setup.split(' ').slice(1))
    // A connection of its own: what waits, waits alone.
    const reply = await Promise.race([
      server
        .client({ bytes: true })
        .call(words[0], ...words.slice(1))
        .catch((error: unknown) => error),
      server.clock.advance('1s').then(() => new RedisError('WAITS')),
    ])
    if (reply instanceof RedisError) continue
    compared.add(name)
    if (!matches(reply)) wrong.push(`${line} replies ${JSON.stringify(reply)}, not ${declaredReplies().get(name)}`)
  }
  assert.equal(wrong.join('\n'), '')
  const uncompared = [...calledCommands().keys()].filter(name => !compared.has(name))
  assert.ok(compared.size > 200, `${compared.size} commands; not ${uncompared.join(', ')}`)
})
