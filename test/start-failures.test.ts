// Starts that fail: the exit code, and the last lines that tell why. With REDIS_SERVER the same of redis-server.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { Crc64 } from '../src/lib/crc64.ts'
import { launch, type StartServer } from '../src/server/launch.ts'
import { startSentinel } from '../src/server/sentinel.ts'
import { startServer } from '../src/server/server.ts'
import { VirtualExit, virtualSystem } from '../src/system/virtual.ts'
import { factsAreLive, oraclePath, oracleVersion } from './harness/oracle.ts'

interface Failure {
  args?: string
  /** Latin-1; a name that ends with a slash is a folder. */
  files?: Record<string, string>
  /** One of the last lines. */
  says: RegExp
  code?: number
}

const latin1 = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0))
const binary = (bytes: Uint8Array) => String.fromCharCode(...bytes)

function rdb(body: string, { version = '0011', checksum = 0 } = {}): string {
  const text = `REDIS${version}${body}\xff`
  const sum = new Uint8Array(8)
  new Crc64().update(latin1(text)).writeTo(sum, 0)
  sum[0] ^= checksum
  return text + binary(sum)
}

const word = (text: string) =>
  (text.length < 64
    ? String.fromCharCode(text.length)
    : String.fromCharCode(0x40 | (text.length >> 8), text.length & 255)) + text
const KEY = '\xfe\x00\x00\x01k\x01v'
const LIBRARY = `\xf5${word("#!lua name=x\nredis.register_function('f', function() return 1 end)")}`

const file = (name: string, seq: number, type: string) => `file ${name} seq ${seq} type ${type}\n`
const BASE = 'appendonly.aof.1.base.rdb'
const INCR = 'appendonly.aof.1.incr.aof'
const MANIFEST = file(BASE, 1, 'b') + file(INCR, 1, 'i')
const SET = '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n'

/** A server with an append-only file of these parts. */
function log(manifest: string, files: Record<string, string>, args = ''): Pick<Failure, 'args' | 'files'> {
  const all: Record<string, string> = { 'appendonlydir/appendonly.aof.manifest': manifest }
  for (const [name, text] of Object.entries(files)) all[`appendonlydir/${name}`] = text
  return { args: `--appendonly yes ${args}`, files: all }
}

const conf = (text: string): Pick<Failure, 'args' | 'files'> => ({ args: 'c.conf', files: { 'c.conf': text } })
const dump = (text: string): Pick<Failure, 'files'> => ({ files: { 'dump.rdb': text } })
const TLS = '--tls-port 27999 --tls-cert-file a.crt --tls-key-file a.key --tls-ca-cert-file a.ca'

const failures: Record<string, Failure> = {
  'a configuration file that is missing': {
    args: 'none.conf',
    says: /# Fatal error, can't open config file '\S*none\.conf': No such file/,
  },
  'an unknown directive': {
    ...conf('port 0\nfoo bar\n'),
    says: /at line 2\n>>> 'foo bar'\nBad directive or wrong number of arguments/,
  },
  'an unknown directive on the command line': { args: '--foo bar', says: />>> 'foo "bar"'\nBad directive/ },
  'a value of the wrong kind': { args: '--maxmemory 12xx', says: /argument must be a memory value/ },
  'quotes that do not end': { ...conf('requirepass "abc\n'), says: /Unbalanced quotes in configuration line/ },
  'an include that is missing': {
    ...conf('include nope.conf\n'),
    says: /# Fatal error, can't open config file 'nope\.conf'/,
  },
  'a folder that is missing': { args: '--dir /nonexistent/dir', says: /No such file or directory/ },
  'a log file that cannot be written': {
    args: '--logfile /nonexistent/x.log',
    says: /Can't open the log file: No such file/,
  },
  'a Unix socket in a missing folder': {
    args: '--unixsocket /nonexistent/s',
    says: /# Failed opening Unix socket: bind: No such file/,
  },
  'an ACL file that is missing': {
    args: '--aclfile nope.acl',
    says: /# Aborting Redis startup because of ACL errors: Error loading ACLs, opening file 'nope\.acl': No such file/,
  },
  'an ACL file with an unknown command': {
    args: '--aclfile a.acl',
    files: { 'a.acl': 'user bob on +foo\n' },
    says: /a\.acl:1: Error in applying operation '\+foo': Unknown command or category name in ACL\./,
  },
  'a user with an unknown command': {
    ...conf('user bob on +foo\n'),
    says: /# Critical error while loading ACLs\. Exiting\./,
  },
  'a user with a wrong word': { ...conf('user bob on xyz\n'), says: /Error in user declaration 'bob': Syntax error/ },
  'a user twice': { ...conf('user bob on\nuser bob off\n'), says: /'bob': Duplicate user found/ },
  'a command to rename that is missing': {
    ...conf('rename-command nope x\n'),
    says: /No such command in rename-command/,
  },
  'a module that is missing': {
    args: '--loadmodule /nonexistent.so',
    says: /# Can't load module from \/nonexistent\.so: server aborting/,
  },
  'TLS without a certificate': { args: '--tls-port 27999', says: /# Failed to configure TLS\. Check logs/ },
  'TLS files that are missing': { args: TLS, says: /# Failed to configure TLS\. Check logs/ },
  'TLS files that hold something else': {
    args: TLS,
    files: { 'a.crt': 'x', 'a.key': 'x', 'a.ca': 'x' },
    says: /# Failed to configure TLS\. Check logs/,
  },

  'an RDB file with another beginning': {
    ...dump('garbage garbage'),
    says: /# Wrong signature trying to load DB from file\n[\s\S]*# Fatal error loading the DB, check server logs\. Exiting\.\n$/,
  },
  'an RDB file of a later version': {
    ...dump(rdb('', { version: '0099' })),
    says: /# Can't handle RDB format version 99\n[\s\S]*# Fatal error loading the DB, check server logs\. Exiting\.\n$/,
  },
  'an empty RDB file': {
    ...dump(''),
    says: /# Short read or OOM loading DB\. Unrecoverable error, aborting now\.\n.*-> Unexpected EOF reading RDB file/,
  },
  'a truncated RDB file': {
    ...dump(rdb(KEY).slice(0, 14)),
    says: /# Short read or OOM loading DB\. Unrecoverable error, aborting now\.\n.*-> Unexpected EOF reading RDB file/,
  },
  'an RDB file without its checksum': {
    ...dump(rdb(KEY).slice(0, -3)),
    says: /# Short read or OOM loading DB\. Unrecoverable error, aborting now\./,
  },
  'an RDB file with a wrong checksum': {
    ...dump(rdb(KEY, { checksum: 1 })),
    says: /# Wrong RDB checksum expected: \(d1e406ff7947201d\) but got \(d1e406ff7947201c\)\. Aborting now\.\n.*-> RDB CRC error/,
  },
  'an unknown type in an RDB file': { ...dump(rdb('\xfe\x00\x63\x01k\x01v')), says: /-> Unknown RDB encoding type 99/ },
  'compressed bytes that are damaged': {
    ...dump(rdb('\xfe\x00\x00\x01k\xc3\x03\x05\xff\xff\xff')),
    says: /-> Invalid LZF compressed string[\s\S]*# Terminating server after rdb file reading failure\.\n$/,
  },
  'a database beyond the last': {
    ...dump(rdb('\xfe\x20\x00\x01k\x01v')),
    says: /# FATAL: Data file was created with a Redis server configured to handle more than 16 databases\. Exiting/,
  },
  'functions before Redis 7': { ...dump(rdb('\xf6\x01x')), says: /-> Pre-release function format not supported\./ },
  'a function library that does not compile': {
    ...dump(rdb(`\xf5${word('#!lua name=x\nbad syntax(')}`)),
    says: /Failed loading library, Error compiling function: user_function:2: '=' expected near 'syntax'/,
    code: 0,
  },
  'a function library twice': {
    ...dump(rdb(LIBRARY + LIBRARY)),
    says: /Failed loading library, Library 'x' already exists/,
    code: 0,
  },
  'a key of an unknown module': {
    ...dump(rdb('\xfe\x00\x07\x01k\x81\x01\x02\x03\x04\x05\x06\x07\x08\x00')),
    says: /-> The RDB file contains module data I can't load: no matching module type 'AQIDBAUGB'/,
    code: 0,
  },

  'an unknown command in the append-only file': {
    ...log(MANIFEST, { [BASE]: rdb(''), [INCR]: '*2\r\n$4\r\nNOPE\r\n$1\r\nk\r\n' }),
    says: /# Unknown command 'NOPE' reading the append only file appendonly\.aof\.1\.incr\.aof\n$/,
  },
  'no command in the append-only file': {
    ...log(MANIFEST, { [BASE]: rdb(''), [INCR]: `${SET}garbage\r\n` }),
    says: /# Bad file format reading the append only file appendonly\.aof\.1\.incr\.aof: make a backup/,
  },
  'a truncated append-only file': {
    ...log(MANIFEST, { [BASE]: rdb(''), [INCR]: SET.slice(0, -3) }, '--aof-load-truncated no'),
    says: /# Unexpected end of file reading the append only file appendonly\.aof\.1\.incr\.aof\. You can:/,
  },
  'a truncated file before the last': {
    ...log(MANIFEST + file('appendonly.aof.2.incr.aof', 2, 'i'), {
      [BASE]: rdb(''),
      [INCR]: SET.slice(0, -3),
      'appendonly.aof.2.incr.aof': SET,
    }),
    says: /# Fatal error: the truncated file is not the last file\n$/,
  },
  'a base file that is missing': {
    ...log(MANIFEST, { [INCR]: SET }),
    says: /# Unable to obtain the AOF file appendonly\.aof\.1\.base\.rdb length\. stat: No such file or directory\n$/,
  },
  'an incremental file that is missing': {
    ...log(MANIFEST, { [BASE]: rdb('') }),
    says: /# Unable to obtain the AOF file appendonly\.aof\.1\.incr\.aof length\. stat: No such file or directory\n$/,
  },
  'a base file with a wrong checksum': {
    ...log(MANIFEST, { [BASE]: rdb(KEY, { checksum: 1 }), [INCR]: SET }),
    says: /# Wrong RDB checksum expected: [\s\S]*-> RDB CRC error/,
  },
  'a base file of a later version': {
    ...log(MANIFEST, { [BASE]: rdb('', { version: '0099' }), [INCR]: SET }),
    says: /# Can't handle RDB format version 99\n[\s\S]*# Error reading the RDB base file appendonly\.aof\.1\.base\.rdb, AOF loading aborted\n$/,
  },
  'an empty manifest': { ...log('', {}), says: /# Found an empty AOF manifest\n\n$/ },
  'a manifest of something else': { ...log('garbage\n', {}), says: /# Invalid AOF manifest file format\n\n$/ },
  'a manifest with an unknown type': { ...log(file('a', 1, 'z'), {}), says: /# Unknown AOF file type\n\n$/ },
  'a manifest with two bases': {
    ...log(file('a', 1, 'b') + file('b', 2, 'b'), {}),
    says: /# Found duplicate base file information\n\n$/,
  },
  'a manifest with a path': { ...log(file('../a', 1, 'b'), {}), says: /# File can't be a path, just a filename\n\n$/ },
  'a file in the place of the append-only folder': {
    args: '--appendonly yes',
    files: { appendonlydir: 'x' },
    says: /# Can't open or create append-only dir appendonlydir: Not a directory\n$/,
  },
  'a damaged nodes file': {
    args: '--cluster-enabled yes',
    files: { 'nodes.conf': 'garbage\n' },
    says: /# Unrecoverable error: corrupted cluster config file "garbage/,
  },
  'a folder in the place of the nodes file': {
    args: '--cluster-enabled yes',
    files: { 'nodes.conf/': '' },
    says: /# Can't open \S*nodes\.conf in order to acquire a lock: Is a directory\n$/,
  },
  'a replica that is in a cluster': {
    args: '--cluster-enabled yes --replicaof 127.0.0.1 1',
    says: /replicaof directive not allowed in cluster mode/,
  },
  'a sentinel without a configuration file': {
    args: '--sentinel',
    says: /# Sentinel needs config file on disk to save state\. Exiting\.\.\.\n$/,
  },
}

interface Ended {
  code: number | null
  said: string
}

const unstamped = (text: string) => text.replace(/^\d+:[A-Z] \d\d \w+ \d{4} [\d:.]+ /gm, '')

async function ours(args: string[], files: Record<string, string>): Promise<Ended> {
  const machine = virtualSystem({ cwd: '/data' })
  const { disk } = machine.system
  for (const [name, text] of Object.entries(files)) {
    const folder = name.endsWith('/') ? name.slice(0, -1) : dirname(name)
    if (folder !== '.' && disk.stat(`/data/${folder}`) === null) disk.mkdir(`/data/${folder}`, 0o755)
    if (!name.endsWith('/')) disk.writeFile(`/data/${name}`, latin1(text))
  }
  let isOver = false
  const start = launch(args, machine.system, startByMode)
    .catch(onlyExit)
    .finally(() => {
      isOver = true
    })
  while (!isOver) {
    await Promise.resolve()
    try {
      machine.settle()
    } catch (error) {
      onlyExit(error)
    }
  }
  await start
  return { code: machine.exitCode ?? null, said: unstamped(machine.out + machine.err) }
}

const startByMode: StartServer = (config, ...rest) =>
  config.sentinel ? startSentinel(config, ...rest) : startServer(config, ...rest)

function onlyExit(error: unknown): void {
  if (!(error instanceof VirtualExit)) throw error
}

function redis(args: string[], files: Record<string, string>): Ended {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-failures-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name)
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(path, latin1(text))
    }
    const { status, stdout, stderr } = spawnSync(oraclePath!, args, { cwd: folder, timeout: 10_000 })
    return { code: status, said: unstamped(stdout.toString('latin1') + stderr.toString('latin1')) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const skip = oraclePath !== undefined && !factsAreLive && `log lines of 7.2.4; this is ${oracleVersion}`

for (const [name, failure] of Object.entries(failures)) {
  const { args = '', files = {}, says, code = 1 } = failure
  test(`a start fails: ${name}`, { skip }, async () => {
    const words = args.split(' ').filter(Boolean)
    // A file is named before the options.
    const all = [
      ...words.filter((_, i) => i === 0 && !words[0].startsWith('--')),
      '--port',
      '27990',
      '--bind',
      '127.0.0.1',
    ]
    all.push(...words.filter(one => !all.includes(one) || one.includes('.0.')))
    const ended = oraclePath === undefined ? await ours(all, files) : redis(all, files)
    assert.match(ended.said, says)
    assert.equal(ended.code, code)
  })
}
