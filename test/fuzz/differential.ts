// The differential fuzzer: random commands on our server and on a real redis-server, replies and data compared.
//
//   npx bun test/fuzz/differential.ts --seed 1 --commands 1000000 --groups string,generic,transactions
//   npx bun test/fuzz/differential.ts --seed 1 --epoch 17        repeats that epoch
//
// REDIS_SERVER names the redis-server (else the one on the PATH), --ours the command line of ours (else bin/redstart).
// --crowd: several clients at once, that block, mute, pause and kill each other. --plain compares replies and data
// alone, --digest compares DEBUG DIGEST too, --seconds ends it early, --only and --except choose among the commands:
// --except INCRBYFLOAT,SORT. --adjacent is the share that runs in transactions, scripts and functions with arguments
// side by side (1: all). On a difference it prints the fewest commands that still show it, and exits with 1.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { projectRoot } from '../tidy/source.ts'
import { runsSideBySide, WAYS, type Way } from './adjacent.ts'
import { makeCrowd, playCrowd } from './crowd.ts'
import { type EpochOptions, makeEpoch } from './epoch.ts'
import type { CommandGrammar } from './grammar/grammar.ts'
import { grammars } from './grammar/index.ts'
import { type Difference, Pair } from './pair.ts'
import { playEpoch } from './play.ts'
import { FuzzServer } from './servers.ts'
import { shrink } from './shrink.ts'
import { quoted, type Step } from './step.ts'

const EPOCH_COMMANDS = 4000
const CROWD_COMMANDS = 500
const REPLAYS = 2
const MESSAGE_CHARS = 400
const SHRINK_PLAYS_MAX = 1500

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    epoch: { type: 'string' },
    commands: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '86400' },
    groups: { type: 'string', default: Object.keys(grammars).join(',') },
    only: { type: 'string' },
    except: { type: 'string', default: '' },
    resp: { type: 'string', default: 'both' },
    adjacent: { type: 'string', default: '0.1' },
    crowd: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    digest: { type: 'boolean', default: false },
    connections: { type: 'string', default: '3' },
    ours: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    theirs: { type: 'string', default: oraclePath ?? 'redis-server' },
  },
})

const oracleVersion = /v=([0-9.]+)/.exec(execFileSync(values.theirs, ['--version']).toString())?.[1] ?? '0'
// Older than the compatible version: encodings and texts of errors are not compared.
const oracleIsOlder = olderThan(oracleVersion, '7.2')
// An older server says other things beside its replies.
const isObserved = !values.plain && !oracleIsOlder
const ours = new FuzzServer('ours', values.ours.split(' '), isObserved)
const theirs = new FuzzServer('redis', [values.theirs], isObserved)
const pair = new Pair(ours, theirs, isObserved)
if (values.crowd && !isObserved) throw new Error('--crowd wants a redis-server of 7.2, and not --plain')
const make = values.crowd ? makeCrowd : makeEpoch
const play = values.crowd ? playCrowd : playEpoch
const options: EpochOptions = {
  connectionCount: Number(values.connections),
  commandCount: values.crowd ? CROWD_COMMANDS : EPOCH_COMMANDS,
  protocols: values.resp === 'both' ? [2, 3] : values.resp === '3' ? [3] : [2],
  state: { databaseCount: 3, lax: oracleIsOlder, digest: values.digest },
  lax: oracleIsOlder,
  adjacent: Number(values.adjacent),
  ways: [],
}

try {
  process.exitCode = (await main()) ? 0 : 1
} finally {
  ours.stop()
  theirs.stop()
}

async function main(): Promise<boolean> {
  const commands = await knownCommands()
  options.ways = await knownWays()
  const startedMs = Date.now()
  const epochCount = Math.ceil(Number(values.commands) / options.commandCount)
  const [first, last] = values.epoch ? [Number(values.epoch), Number(values.epoch)] : [0, epochCount - 1]
  let played = 0
  let sideBySide = 0
  for (let epoch = first; epoch <= last; epoch++) {
    if (Date.now() - startedMs > Number(values.seconds) * 1000) break
    const steps = make(commands, Number(values.seed) * 1_000_003 + epoch, options)
    const difference = await lastingDifference(epoch, steps)
    if (difference) {
      await report(epoch, steps.slice(0, difference.stepsPlayed), difference)
      return false
    }
    played += steps.length
    sideBySide += steps.filter(runsSideBySide).length
    if (epoch % 25 === 24) console.log(`${played} commands the same`)
  }
  const seconds = (Date.now() - startedMs) / 1000
  console.log(
    `${played} commands, ${sideBySide} of them transactions and scripts with arguments side by side, no difference (seed ${values.seed}, ${Math.round(played / seconds)} commands a second)`,
  )
  return true
}

/** A difference that an epoch shows again: on a busy machine the time budget of a client may end anywhere. */
async function lastingDifference(epoch: number, steps: readonly Step[]): Promise<Difference | undefined> {
  for (let playsLeft = REPLAYS; ; playsLeft--) {
    const difference = await play(pair, steps, options)
    if (!difference || playsLeft === 0) return difference
    console.log(`epoch ${epoch} once more, because of: ${difference.message.slice(0, MESSAGE_CHARS)}`)
  }
}

async function report(epoch: number, steps: readonly Step[], { kind, message }: Difference): Promise<void> {
  console.log(`difference in epoch ${epoch} of seed ${values.seed}, at command ${steps.length}:\n${message}`)
  const log = ours.logTail()
  console.log('making it smaller ...')
  const fewest = await shrink(steps, async some => (await play(pair, some, options))?.kind === kind, SHRINK_PLAYS_MAX)
  const again = await play(pair, fewest, options)
  console.log(`\n${fewest.length} commands show a difference:`)
  for (const step of fewest) console.log(`  [${step.connection}, RESP${protocolOf(step)}] ${quoted(step.words)}`)
  console.log(again?.message ?? 'but not every time')
  if (/answer|closed|internal error|exception/.test(message)) console.log(`the end of our log:\n${log}`)
  console.log(`\nreproduce: npx bun test/fuzz/differential.ts --seed ${values.seed} --epoch ${epoch}${otherOptions()}`)
}

function otherOptions(): string {
  const given = process.argv.slice(2).join(' ')
  return ` ${given.replace(/--(seed|epoch|commands|seconds)[= ]\S+/g, '').trim()}`.trimEnd()
}

function protocolOf(step: Step): number {
  return options.protocols[step.connection % options.protocols.length]
}

/** The commands of the selected groups that both servers have. */
async function knownCommands(): Promise<CommandGrammar[]> {
  const groups = values.groups.split(',')
  for (const group of groups)
    if (!grammars[group]) throw new Error(`no group ${group}; there are ${Object.keys(grammars)}`)
  const only = values.only?.toUpperCase().split(',')
  const except = values.except.toUpperCase().split(',')
  const wanted = groups
    .flatMap(group => grammars[group])
    .filter(
      ({ name, since }) =>
        (!only || only.includes(name)) && !except.includes(name) && !(since && olderThan(oracleVersion, since)),
    )
  const missing = new Set<string>()
  for (const server of [ours, theirs]) {
    const connection = await server.connect()
    for (const { name } of wanted) {
      const reply = await connection.call(...name.split(' '))
      if (String((reply as { message?: string })?.message).startsWith('ERR unknown')) missing.add(name)
    }
    connection.close()
  }
  if (missing.size > 0) console.log(`left out, one of the servers does not know them: ${[...missing].join(', ')}`)
  const known = wanted.filter(({ name }) => !missing.has(name))
  if (known.length === 0) throw new Error('no command is left to try')
  return known
}

/** Ways to make arguments adjacent that both servers have. */
async function knownWays(): Promise<readonly Way[]> {
  const connection = await theirs.connect()
  const reply = await connection.call('FCALL')
  connection.close()
  const unknown = String((reply as { message?: string })?.message).startsWith('ERR unknown')
  return WAYS.filter(way => way !== 'FCALL' || !unknown)
}

function olderThan(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map(text => text.split('.').map(Number))
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1]
}
