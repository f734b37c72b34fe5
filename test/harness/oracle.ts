// The redis-server of REDIS_SERVER, and recorded facts about a Redis 7.2 for when there is none:
// test/oracle/NAME.jsonl, one per line.
//
// A test asks through withFacts(). If REDIS_SERVER names a 7.2, that server is asked and the record is checked against
// it; otherwise the record answers. So the test always runs. After a change of the questions:
//
//   ORACLE=write REDIS_SERVER=/path/to/redis-server-7.2.4 npx bun test src/commands/server/command src/config/oracle
//
// Always: facts are names, numbers, flags, trees of them, and texts that programs read. Redis's descriptions of its
// commands are not recorded. Only this file reads REDIS_SERVER, so that importing it tells which tests ask
// (scripts/test.mjs).

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from '../tidy/source.ts'

/** The redis-server for conversations, instead of ours, and for comparisons. */
export const oraclePath: string | undefined = process.env.REDIS_SERVER || undefined

/** '7.0.15', or undefined when conversations run with ours. */
export const oracleVersion: string | undefined = oraclePath
  ? (/v=([0-9.]+)/.exec(execFileSync(oraclePath, ['--version']).toString())?.[1] ?? '0')
  : undefined

/** Why tests that need a redis-server at hand do not run; `npm test -- --oracle` refuses to run without one. */
export const skipWithoutOracle: string | false = oraclePath === undefined && 'REDIS_SERVER is not set'

/** The same for tests in which it reads what we write: version 11 of the RDB format, which Redis 7.2 brought. */
export const skipUnlessReadsOurs: string | false =
  skipWithoutOracle || (!oracleVersion!.startsWith('7.2.') && `Redis ${oracleVersion} reads no RDB version 11`)

/** A tool that is installed with the redis-server. */
export function oracleTool(name: 'redis-check-rdb' | 'redis-check-aof' | 'redis-cli'): string {
  const folder = oraclePath!.includes('/') ? dirname(realpathSync(oraclePath!)) : ''
  assert.ok(folder === '' || existsSync(join(folder, name)), `there is no ${name} in ${folder}`)
  return join(folder, name)
}

export type Fact = string | number | boolean | null | readonly Fact[]

/** The version whose replies are recorded. */
const REFERENCE = '7.2.'
const WRITING = process.env.ORACLE === 'write'

/** Facts come from a server instead of the record. */
export const factsAreLive: boolean = oracleVersion?.startsWith(REFERENCE) ?? false

export class Facts {
  /** Of the server that was recorded. */
  readonly version: string
  private readonly recorded: ReadonlyMap<string, Fact>
  private readonly asked = new Map<string, Fact>()

  constructor(recorded: ReadonlyMap<string, Fact>) {
    this.recorded = recorded
    this.version = factsAreLive ? oracleVersion! : String(recorded.get('version'))
    this.asked.set('version', this.version)
  }

  /** The reply to a question: `ask` gets it from the server. */
  async of<F extends Fact>(question: string, ask: () => Promise<F>): Promise<F> {
    assert.ok(!this.asked.has(question), `${question} is asked twice`)
    const recorded = this.recorded.get(question)
    const fact = factsAreLive ? await ask() : recorded
    assert.notEqual(fact, undefined, `${question} is not in the record: see test/harness/oracle.ts`)
    if (!WRITING) assert.deepEqual(fact, recorded, `${question}: the record is false, see test/harness/oracle.ts`)
    this.asked.set(question, fact!)
    return fact as F
  }

  lines(): string {
    return [...this.asked].map(one => `${JSON.stringify(one)}\n`).join('')
  }

  /** The record has no facts that are never asked for. */
  checkComplete(): void {
    assert.deepEqual([...this.recorded.keys()].sort(), [...this.asked.keys()].sort())
  }
}

/** Runs a test with the facts of that name. */
export async function withFacts(name: string, body: (facts: Facts) => Promise<void>): Promise<void> {
  assert.ok(!WRITING || factsAreLive, `ORACLE=write wants a REDIS_SERVER of version ${REFERENCE}x`)
  const path = join(projectRoot, 'test/oracle', `${name}.jsonl`)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  const facts = new Facts(new Map(lines.map(line => JSON.parse(line) as [string, Fact])))
  await body(facts)
  if (WRITING) writeFileSync(path, facts.lines())
  else facts.checkComplete()
}
