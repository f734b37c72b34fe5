// For every directive a Config behaves as redis-server 7.2 (test/harness/oracle.ts): CONFIG GET, SET and REWRITE.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { type Fact, factsAreLive, oraclePath, withFacts } from '../../test/harness/oracle.ts'
import { OWN_DIRECTIVES } from '../../test/harness/own-directives.ts'
import { type PlainValue, RespError } from '../../test/harness/resp.ts'
import { ServerProcess } from '../../test/harness/server-process.ts'
import { realDisk } from '../system/real-disk.ts'
import { Config } from './config.ts'
import { DIRECTIVES } from './directives.ts'
import { loadText } from './parser.ts'

/** Words to try for each directive, valid and invalid, beside its own value. */
const TRIALS = [
  ...['', 'yes', 'NO', '0', '1', '-1', '7', '010', '+3', ' 5', '64', '99', '150', '777', '888', '65536', '3000000000'],
  ...['9223372036854775807', '9223372036854775808', '18446744073709551615', '99999999999999999999'],
  ...['1k', '1kb', '3MB', '2g', '1tb', 'mb', '50%', '101%', '-5%', '%', 'abc', 'a/b', 'a b', 'a  b', 'a=b', 'a.b-c'],
  ...['900 1', '900 1 300 10', '0 1', '1 -1', '1 2 3', '-1000 0 3000', '9 5 1', '99.99 50', '101', 'nan', '1e1'],
  ...['normal 1kb 2 3', 'slave 1 1 1 pubsub 2mb 1 0', 'replica 1 1 -1', 'master 0 0 0', 'normal 1 1'],
  ...['A', 'KEA', 'xyz', 'gxE', 'Kn$', 'AKEmnd', 'g$lshzxetd'],
  ...['nosave', 'save now', 'default', 'force default', 'save nosave', 'allkeys-lru', 'relative', 'absolute', 'debug'],
  ...['{title}', '{{', '{none}', '{title} x', '{title', 'local0', 'optional', 'ip', 'swapdb', 'clients', 'everysec'],
  '\xe9\x00\x07"\\',
]

/** Directives that no redis-server has. */
const OURS = ['jit-warm-up', ...OWN_DIRECTIVES]
/** Directives whose values depend on the machine or on redis-server's build, or act upon it. */
const SKIPPED = [
  'dir',
  'bind',
  'port',
  'tls-port',
  'unixsocket',
  'locale-collate',
  'maxclients',
  'watchdog-period',
  'activedefrag',
]
const ACTING = ['oom-score-adj', 'oom-score-adj-values', 'appendonly', 'logfile', 'loglevel', 'busy-reply-threshold']
/** Words of later versions in lists of what is allowed. */
const LATER = /volatile-lrm, |allkeys-lrm, /g
const isTls = (name: string) => name.startsWith('tls-')

/** Asks the server; throws when there is none. */
type Ask = (...words: string[]) => Promise<PlainValue>

/** A server, if one is available, and a Config with the same settings, in one directory. */
async function side(body: (ask: Ask, config: Config, folder: string, port: number) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-config-'))
  const file = path.join(folder, 'redis.conf')
  fs.writeFileSync(file, '')
  const server = factsAreLive ? await ServerProcess.start(`${oraclePath} ${file}`, folder, {}) : undefined
  const port = server?.port ?? 1
  const disk = realDisk(false)
  disk.chdir(folder)
  const config = new Config(disk, { takesEverything: true })
  loadText(config, `port ${port}\nbind 127.0.0.1\ndir ${folder}\nlogfile ${path.join(folder, 'log')}\n`)
  try {
    await body((...words) => server!.call(...words), config, folder, port)
  } finally {
    await server?.kill()
    fs.rmSync(folder, { recursive: true })
  }
}

/** Lines of names and values, without what differs from run to run. */
function printed(list: readonly string[], folder: string): string[] {
  const lines = list.flatMap((name, i) =>
    i % 2 === 0 ? [`${name} ${name === 'port' ? '{port}' : list[i + 1].replace(folder, '{folder}')}`] : [],
  )
  return lines.sort()
}

test('every directive prints the same at its default', () =>
  withFacts('config-defaults', facts =>
    side(async (ask, config, folder) => {
      const hidden = DIRECTIVES.filter(({ name, kind }) => kind.hidden && !OURS.includes(name)).map(one => one.name)
      for (const [question, patterns] of [
        ['shown', ['*']],
        ['hidden', hidden],
      ] as const) {
        const theirs = await facts.of(question, async () =>
          printed((await ask('CONFIG', 'GET', ...patterns)) as string[], folder),
        )
        assert.deepEqual(printed([...config.get(patterns)].flat(), folder), theirs)
      }
    }),
  ))

test('every directive takes and refuses the same words in the same words', () =>
  withFacts('config-words', facts =>
    side(async (ask, config) => {
      for (const { name } of DIRECTIVES) {
        if (OURS.includes(name) || SKIPPED.includes(name) || ACTING.includes(name) || isTls(name)) continue
        const theirs = await facts.of(name, () =>
          outcomes(async word => {
            const answer = await ask('CONFIG', 'SET', name, word)
            const [, value] = (await ask('CONFIG', 'GET', name)) as string[]
            return [answer instanceof RespError ? `-${answer.message}` : `+${answer}`, value]
          }),
        )
        const ours = await outcomes(async word => {
          const refusal = config.set([[name, word]], { local: true })
          return [refusal === null ? '+OK' : `-${String(refusal).replace(LATER, '')}`, config.print(name)]
        })
        assert.deepEqual(ours, theirs, name)
      }
    }),
  ))

/** Each answer, the value printed after it, and the words that lead to them. */
async function outcomes(set: (word: string) => Promise<[answer: string, value?: string]>): Promise<Fact> {
  const words = new Map<string, string[]>()
  for (const word of TRIALS) {
    const key = JSON.stringify(await set(word))
    words.set(key, [...(words.get(key) ?? []), word])
  }
  return [...words].map(([key, list]) => [...(JSON.parse(key) as string[]), list])
}

const CHANGES: readonly [string, string][] = [
  ['maxmemory', '3mb'],
  ['client-output-buffer-limit', 'replica 1000 2kb 3'],
  ['requirepass', ''],
  ['notify-keyspace-events', 'KEx'],
  ['masterauth', 'a "quoted" one'],
  ['shutdown-on-sigterm', 'now force'],
  ['latency-tracking-info-percentiles', '10 99.5'],
  ['maxmemory-clients', '9%'],
]

test('a rewritten file says the same', () =>
  withFacts('config-rewrite', facts =>
    side(async (ask, config, folder, port) => {
      // What is added at the end comes in another order: theirs is a hash table's.
      const lines = (text: string) =>
        text
          .split('\n')
          .map(line => line.replace(folder, '{folder}').replace(`port ${port}`, 'port {port}'))
          .sort()
      const theirs = await facts.of('lines', async () => {
        for (const [name, value] of CHANGES) assert.equal(await ask('CONFIG', 'SET', name, value), 'OK')
        assert.equal(await ask('CONFIG', 'REWRITE'), 'OK')
        return lines(fs.readFileSync(path.join(folder, 'redis.conf'), 'latin1'))
      })
      for (const [name, value] of CHANGES) assert.equal(config.set([[name, value]]), null)
      assert.deepEqual(lines(config.rewrite('', ['user default on nopass sanitize-payload ~* &* +@all'])), theirs)
    }),
  ))
