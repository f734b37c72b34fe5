// With REDIS_SERVER: redis-check-rdb and redis-check-aof beside it and `redstart check` must agree about valid and
// damaged files.
//
//   TEST_TIMEOUT_MS=9999999 CHECK_FILES=2000 CHECK_SEED=1 REDIS_SERVER=… npx bun test ./src/tools/check/oracle.test.ts

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import {
  oraclePath as server,
  skipWithoutOracle as skip,
  skipUnlessReadsOurs,
  oracleTool as tool,
} from '../../../test/harness/oracle.ts'
import { RandomCommands } from '../../../test/harness/random-commands.ts'
import { encodeCommand, latin1Bytes } from '../../../test/harness/resp.ts'
import type { Random } from '../../system/system.ts'
import { seededRandom, virtualSystem } from '../../system/virtual.ts'
import { runTool } from '../command-line.ts'
import { check } from './check.ts'

const FILES = Number(process.env['CHECK_FILES'] ?? 40)
const SEED = Number(process.env['CHECK_SEED'] ?? 1)

/** The verdict and output of Redis's tool. */
function theirs(name: 'redis-check-rdb' | 'redis-check-aof', file: string, ...flags: string[]) {
  const { status, stdout } = spawnSync(tool(name), [...flags, file], { encoding: 'latin1', input: 'y\n' })
  return { good: status === 0, out: stdout }
}

/** The verdict and output of `redstart check`. */
async function ours(bytes: Uint8Array, ...flags: string[]) {
  const machine = virtualSystem()
  machine.disk.writeFile('f', bytes)
  const code = await runTool(check, ['f', ...flags], machine.system)
  return { good: code === 0, out: machine.out, bytes: machine.disk.readFile('f') }
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-check-'))
  try {
    await body(folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

/** The files of our server after random commands. */
async function ourFiles(seed: number): Promise<Map<string, Uint8Array>> {
  const machine = virtualSystem({ seed })
  const one = await MachineServer.start(machine, { appendonly: 'yes', 'aof-timestamp-enabled': 'yes' })
  const commands = new RandomCommands(seededRandom(seed), 8)
  for (let i = 0; i < 60; i++) {
    one.call(...commands.next())
    machine.advance(500)
  }
  for (const words of [['multi'], ['set', 'a', '1'], ['rpush', 'b', '2'], ['exec'], ['save']]) one.call(...words)
  await one.stop()
  const files = new Map([['dump.rdb', machine.disk.readFile('dump.rdb')]])
  for (const name of machine.disk.readdir('appendonlydir'))
    files.set(name, machine.disk.readFile(`appendonlydir/${name}`))
  return files
}

/** The files of redis-server after random commands. */
async function theirFiles(seed: number, folder: string): Promise<Map<string, Uint8Array>> {
  const socket = path.join(folder, 's')
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes']
  const child = spawn(server!, [...args, '--aof-timestamp-enabled', 'yes'], { stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const commands = new RandomCommands(seededRandom(seed), 8)
  const words = [...Array.from({ length: 200 }, () => commands.next()), ['multi'], ['set', 'a', '1'], ['exec']]
  const { connect } = await import('node:net')
  for (let tries = 0; !fs.existsSync(socket) && tries < 200; tries++) await new Promise(r => setTimeout(r, 25))
  const connection = connect(socket)
  for (const one of [...words, ['save'], ['shutdown', 'nosave']]) connection.write(encodeCommand(one))
  connection.resume()
  connection.on('error', () => {})
  await ended
  connection.destroy()
  const files = new Map([['dump.rdb', fs.readFileSync(path.join(folder, 'dump.rdb'))]])
  const logs = path.join(folder, 'appendonlydir')
  for (const name of fs.readdirSync(logs)) files.set(name, fs.readFileSync(path.join(logs, name)))
  return files as unknown as Map<string, Uint8Array>
}

function writeAll(folder: string, files: Map<string, Uint8Array>): void {
  for (const [name, bytes] of files) fs.writeFileSync(path.join(folder, name), bytes)
}

const incremental = (files: Map<string, Uint8Array>) => [...files].find(([name]) => name.endsWith('.incr.aof'))![1]

test('their tools find our files good, ours finds theirs good', { skip: skipUnlessReadsOurs }, async () => {
  await withFolder(async folder => {
    const mine = await ourFiles(SEED)
    writeAll(folder, mine)
    assert.equal(theirs('redis-check-rdb', path.join(folder, 'dump.rdb')).good, true)
    assert.equal(theirs('redis-check-aof', path.join(folder, 'appendonly.aof.manifest')).good, true)
    for (const files of [mine, await theirFiles(SEED, folder)]) {
      const machine = virtualSystem()
      machine.disk.mkdir('d')
      for (const [name, bytes] of files) machine.disk.writeFile(`d/${name}`, bytes)
      assert.equal(await runTool(check, ['d'], machine.system), 0, machine.out)
      assert.equal(await runTool(check, ['d/dump.rdb'], machine.system), 0, machine.out)
    }
  })
})

/**
 * Ours is stricter: the next appended command would become part of an unterminated annotation; an encoded string's type
 * is not a length, although redis-check-rdb uses its lower bits as one.
 */
const STRICTER = /The file ends in the middle of an annotation|Invalid length encoding/

function assertAgree(mine: { good: boolean; out: string }, their: { good: boolean; out: string }, what: string): void {
  if (!STRICTER.test(mine.out)) assert.equal(mine.good, their.good, `${what}\n${mine.out}\n${their.out}`)
}

/** A single change, so that both find the same fault first. */
function damaged(bytes: Uint8Array, random: Random, from: number, to: number): Uint8Array {
  const u8 = Uint8Array.from(bytes)
  const at = from + (random.u32() % (to - from))
  switch (random.u32() % 4) {
    case 0:
      return u8.subarray(0, at)
    case 1:
      u8[at] = random.u32()
      return u8
    default:
      u8[at] ^= 1 << (random.u32() % 8)
      return u8
  }
}

test('damaged RDB files: the same verdict', { skip: skipUnlessReadsOurs }, async () => {
  await withFolder(async folder => {
    const random = seededRandom(SEED)
    const file = path.join(folder, 'f')
    const sources = [await ourFiles(SEED + 1), await theirFiles(SEED + 1, folder)].map(files => files.get('dump.rdb')!)
    for (let i = 0; i < FILES; i++) {
      const whole = Uint8Array.from(sources[i % 2])
      // Without a checksum the values decide.
      const end = whole.length - 8
      if (i % 4 < 2) whole.fill(0, end)
      const bytes = damaged(whole, random, 1, end)
      fs.writeFileSync(file, bytes)
      const [mine, their] = [await ours(bytes), theirs('redis-check-rdb', file)]
      assertAgree(mine, their, `file ${i}`)
    }
  })
})

test('damaged append-only files: the same verdict, and the same left by --fix', { skip }, async () => {
  await withFolder(async folder => {
    const random = seededRandom(SEED)
    const file = path.join(folder, 'f')
    const sources = [await ourFiles(SEED + 2), await theirFiles(SEED + 2, folder)].map(incremental)
    for (let i = 0; i < FILES; i++) {
      const bytes = damaged(sources[i % 2], random, 1, sources[i % 2].length)
      fs.writeFileSync(file, bytes)
      const [mine, their] = [await ours(bytes), theirs('redis-check-aof', file)]
      assertAgree(mine, their, `file ${i}`)
      if (mine.good || their.good) continue
      const fixed = await ours(bytes, '--fix', '--yes')
      theirs('redis-check-aof', file, '--fix')
      assert.equal(fixed.bytes.length, fs.statSync(file).size, `file ${i}\n${fixed.out}`)
    }
  })
})

test('the same is cut behind a time', { skip }, async () => {
  await withFolder(async folder => {
    const file = path.join(folder, 'f')
    const bytes = incremental(await ourFiles(SEED + 3))
    const times = [
      ...Buffer.from(bytes)
        .toString('latin1')
        .matchAll(/#TS:(\d+)/g),
    ].map(([, time]) => Number(time))
    assert.ok(times.length > 5)
    for (const seconds of [times[0] - 1, times[0], times[3], times[times.length - 2], times[times.length - 1] + 9]) {
      fs.writeFileSync(file, bytes)
      const mine = await ours(bytes, '--truncate-to-timestamp', String(seconds), '--yes')
      const their = theirs('redis-check-aof', file, '--truncate-to-timestamp', String(seconds))
      assert.equal(mine.good, their.good, `${mine.out}\n${their.out}`)
      assert.equal(mine.bytes.length, fs.statSync(file).size)
    }
  })
})

test('the verdict on the simplest of files is theirs', { skip }, async () => {
  await withFolder(async folder => {
    const file = path.join(folder, 'f')
    for (const text of [
      '',
      '*',
      'x',
      '*1\r\n$4\r\nPING\r\n',
      '#TS:1\r\n',
      '*1\r\n$4\r\nPING\r\n\0\0',
      'REDIS0010\xff',
    ]) {
      fs.writeFileSync(file, text, 'latin1')
      const name = text.startsWith('REDIS') ? 'redis-check-rdb' : 'redis-check-aof'
      assert.equal((await ours(latin1Bytes(text))).good, theirs(name, file).good, JSON.stringify(text))
    }
  })
})
