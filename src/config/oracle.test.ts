// With REDIS_SERVER naming a redis-server: what it answers to CONFIG GET and SET, and writes on REWRITE, is what a
// Config does, for every directive. The server is started on a Unix socket in a folder of its own.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../system/real-disk.ts'
import { Config } from './config.ts'
import { DIRECTIVES } from './directives.ts'
import { loadText } from './parser.ts'

const server = process.env['REDIS_SERVER']
const skip = server ? false : 'REDIS_SERVER is not set'

/** Words that each directive gets to try, good and bad, beside its own value. */
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

/** Whose values belong to the machine, or act upon it. */
const SKIPPED = ['dir', 'bind', 'port', 'tls-port', 'unixsocket', 'locale-collate', 'maxclients', 'watchdog-period']
const ACTING = ['oom-score-adj', 'oom-score-adj-values', 'appendonly', 'logfile', 'loglevel', 'busy-reply-threshold']
const isTls = (name: string) => name.startsWith('tls-')

type Answer = string | Answer[] | null

async function withServer(body: (ask: (...words: string[]) => Promise<Answer>, folder: string) => Promise<void>) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-config-'))
  const socketPath = path.join(folder, 's')
  fs.writeFileSync(path.join(folder, 'redis.conf'), `port 0\nunixsocket ${socketPath}\ndir ${folder}\n`)
  const child = spawn(server!, [path.join(folder, 'redis.conf')], { stdio: 'ignore' })
  const socket = await connect(socketPath, child)
  try {
    await body(asker(socket), folder)
  } finally {
    socket.destroy()
    child.kill('SIGKILL')
    fs.rmSync(folder, { recursive: true })
  }
}

async function connect(socketPath: string, child: ChildProcess): Promise<net.Socket> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    await new Promise(resolve => setTimeout(resolve, 25))
    if (!fs.existsSync(socketPath)) continue
    const socket = net.connect(socketPath)
    if (await new Promise(resolve => socket.once('connect', () => resolve(true)).once('error', () => resolve(false))))
      return socket
  }
  throw new Error('redis-server did not start')
}

function asker(socket: net.Socket) {
  let buffer = ''
  let wake = () => {}
  socket.on('data', chunk => {
    buffer += chunk.toString('latin1')
    wake()
  })
  const read = async (length: number) => {
    while (buffer.length < length)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    const part = buffer.slice(0, length)
    buffer = buffer.slice(length)
    return part
  }
  const line = async () => {
    let text = ''
    while (!text.endsWith('\r\n')) text += await read(1)
    return text.slice(0, -2)
  }
  const answer = async (): Promise<Answer> => {
    const head = await line()
    const count = Number(head.slice(1))
    if (head[0] === '$') return count < 0 ? null : (await read(count + 2)).slice(0, -2)
    if (head[0] !== '*') return head
    const list: Answer[] = []
    for (let i = 0; i < count; i++) list.push(await answer())
    return list
  }
  return (...words: string[]) => {
    const parts = words.map(word => `$${word.length}\r\n${word}\r\n`).join('')
    socket.write(Buffer.from(`*${words.length}\r\n${parts}`, 'latin1'))
    return answer()
  }
}

function pairs(answer: Answer): { [name: string]: string } {
  const list = answer as string[]
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : [])))
}

const pairsOf = (config: Config, patterns: string[]) => Object.fromEntries(config.get(patterns))

const sameConfig = (folder: string) => {
  const disk = realDisk(false)
  disk.chdir(folder)
  const config = new Config(disk)
  loadText(config, `port 0\nunixsocket ${path.join(folder, 's')}\n`)
  return config
}

test('every directive prints the same at its default', { skip }, async () => {
  await withServer(async (ask, folder) => {
    const config = sameConfig(folder)
    assert.deepEqual(pairs(await ask('CONFIG', 'GET', '*')), pairsOf(config, ['*']))
    const hidden = DIRECTIVES.filter(one => one.kind.hidden).map(one => one.name)
    assert.deepEqual(pairs(await ask('CONFIG', 'GET', ...hidden)), pairsOf(config, hidden))
  })
})

test('every directive takes and refuses the same words in the same words', { skip }, async () => {
  await withServer(async (ask, folder) => {
    const config = sameConfig(folder)
    const differences: unknown[] = []
    for (const { name } of DIRECTIVES) {
      if (SKIPPED.includes(name) || ACTING.includes(name) || isTls(name)) continue
      for (const word of TRIALS) {
        const theirs = await ask('CONFIG', 'SET', name, word)
        const refusal = config.set([[name, word]], { local: true })
        const ours = refusal === null ? '+OK' : `-${refusal}`
        const [, theirValue] = (await ask('CONFIG', 'GET', name)) as string[]
        if (theirs !== ours || theirValue !== config.print(name))
          differences.push({ name, word, theirs, ours, theirValue, ourValue: config.print(name) })
      }
    }
    assert.deepEqual(differences, [])
  })
})

test('a rewritten file says the same', { skip }, async () => {
  await withServer(async (ask, folder) => {
    const file = path.join(folder, 'redis.conf')
    const before = fs.readFileSync(file, 'latin1')
    const config = sameConfig(folder)
    const changes: [string, string][] = [
      ['maxmemory', '3mb'],
      ['client-output-buffer-limit', 'replica 1000 2kb 3'],
      ['requirepass', ''],
      ['notify-keyspace-events', 'KEx'],
      ['masterauth', 'a "quoted" one'],
      ['shutdown-on-sigterm', 'now force'],
      ['latency-tracking-info-percentiles', '10 99.5'],
      ['maxmemory-clients', '9%'],
    ]
    for (const [name, value] of changes) {
      assert.equal(await ask('CONFIG', 'SET', name, value), '+OK')
      assert.equal(config.set([[name, value]]), null)
    }
    assert.equal(await ask('CONFIG', 'REWRITE'), '+OK')
    const ours = config.rewrite(before, ['user default on nopass sanitize-payload ~* &* +@all'])
    const theirs = fs.readFileSync(file, 'latin1')
    // What is added at the end comes in another order: theirs is a hash table's.
    assert.deepEqual(ours.split('\n').sort(), theirs.split('\n').sort())
  })
})
