// The sweep of number-arguments.ts beside a redis-server, and that it leaves no command out.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import type { Command } from '../../src/engine/catalog/command.ts'
import { ServerFailure } from '../fuzz/connection.ts'
import { FuzzServer } from '../fuzz/servers.ts'
import { factsAreLive, oraclePath } from '../harness/oracle.ts'
import { projectRoot } from '../tidy/source.ts'
import { answersTo, numberLines } from './number-arguments.ts'

/** Not in 7.2, or they stop the server, or make it a replica. CLUSTER wants a cluster, and is compared there. */
const LEFT_OUT = new Set(['clusterscan', 'failover', 'psync', 'replicaof', 'slaveof', 'shutdown'])

test('every command that takes a number is in the sweep', () => {
  const swept = [...numberLines(false)].map(words => `${words.join(' ')} `.toLowerCase())
  const missing = namesWithNumbers(allCommands, '').filter(name => !swept.some(line => line.startsWith(`${name} `)))
  assert.deepEqual(
    missing.filter(name => !LEFT_OUT.has(name) && !name.startsWith('cluster ')),
    [],
  )
})

function namesWithNumbers(commands: readonly Command[], before: string): string[] {
  return commands.flatMap(({ name, args, subcommands }) => [
    ...(/:(?:integer|double|unix-time)/.test(args ?? '') ? [before + name] : []),
    ...namesWithNumbers(subcommands ?? [], `${before}${name} `),
  ])
}

// Pipelined, a few thousand commands a second: half a minute in all.
const BATCH = 40

if (factsAreLive) {
  const servers = [
    new FuzzServer('ours', [join(projectRoot, 'bin/redstart')], false),
    new FuzzServer('redis', [oraclePath!], false),
  ]
  after(() => {
    for (const server of servers) server.stop()
  })

  test('numbers in arguments are answered as by redis-server', async () => {
    const lines = [...numberLines(false)]
    const differences: string[] = []
    for (let at = 0; at < lines.length; at += BATCH) {
      const batch = lines.slice(at, at + BATCH)
      // A reply beyond the output limit closes the connection: then one line at a time.
      const answers = (await both(servers, batch)) ?? (await oneByOne(servers, batch))
      for (const [i, line] of batch.entries())
        if (answers[0][i] !== answers[1][i])
          differences.push(`${JSON.stringify(line)}\n  ours  ${answers[0][i]}\n  redis ${answers[1][i]}`)
    }
    assert.deepEqual(differences, [])
  })
}

/** The answers of both servers; undefined: a connection was closed. */
async function both(servers: readonly FuzzServer[], lines: readonly string[][]): Promise<string[][] | undefined> {
  const results = await Promise.all(servers.map(server => answersOf(server, lines)))
  const [ours, theirs] = results
  return ours === undefined || theirs === undefined ? undefined : [ours, theirs]
}

async function oneByOne(servers: readonly FuzzServer[], lines: readonly string[][]): Promise<string[][]> {
  const answers: string[][] = [[], []]
  for (const line of lines)
    for (const [i, server] of servers.entries()) answers[i].push((await answersOf(server, [line]))?.[0] ?? 'closed')
  return answers
}

async function answersOf(server: FuzzServer, lines: readonly string[][]): Promise<string[] | undefined> {
  const connection = await server.connect()
  await connection.call('CONFIG', 'SET', 'proto-max-bulk-len', '1mb')
  await connection.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 2mb 0 0')
  try {
    return (await answersTo(connection, lines)).map(one => one.join(' '))
  } catch (error) {
    if (error instanceof ServerFailure) return undefined
    throw error
  } finally {
    connection.close()
  }
}
