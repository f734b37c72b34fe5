// Every number in the arguments of every command, replaced by each number at which something turns over and by each
// spelling of one: what ours answers, beside a redis-server.
//
//   example ─▶ [each word that is a number] ─▶ [each of NUMBERS] ─▶ a batch: RESET, keys, the command, DEBUG DIGEST
//
// Always: each command runs on the same keys, and the digest after it is compared as well.

import type { FuzzConnection } from '../fuzz/connection.ts'
import { encodeCommand, latin1Text } from '../harness/resp.ts'
import { splitWords } from '../harness/words.ts'
import { COMMANDS_OF_7_2, SETUP } from '../hostile/long-commands.ts'

/** Beside those of the long-input tests: other forms of commands that read numbers. */
const MORE: readonly string[] = [
  'BITCOUNT s 0 -1',
  'BITFIELD s SET u8 #1 3 INCRBY i64 0 1 OVERFLOW FAIL INCRBY u63 #0 1',
  'BITFIELD s OVERFLOW WRAP INCRBY i8 0 1 GET u63 #1',
  'BITPOS s 0 0 -1 BIT',
  'BITPOS s 0 1',
  'CLIENT KILL ID 99999',
  'CLIENT TRACKING ON REDIRECT 99999',
  'COPY s d DB 1',
  'DEBUG DICT-RESIZING 1',
  'DEBUG HTSTATS 0',
  'DEBUG PAUSE-CRON 0',
  'DEBUG QUICKLIST-PACKED-THRESHOLD 100',
  'DEBUG REPLYBUFFER PEAK-RESET-TIME 100',
  'DEBUG SET-ACTIVE-EXPIRE 1',
  'FCALL f 0',
  'GETEX s EXAT 9999999999',
  'GETEX s PX 1000000',
  'GETEX s PXAT 9999999999999',
  'GETRANGE s -2 -1',
  'HELLO 3',
  'HINCRBY h n 5',
  'HSCAN h 0',
  'LPOS l a RANK -1 MAXLEN 0',
  'LPOS l a COUNT 1',
  'LREM l 1 a',
  'LREM l -2 a',
  'LRANGE l 1 2',
  'LTRIM l 1 2',
  'MEMORY USAGE s',
  'MEMORY USAGE l SAMPLES 5',
  'MIGRATE 127.0.0.1 1 s 0 100',
  'RESTORE d 1000 payload ABSTTL',
  'SCAN 0',
  'SET s 1 EX 1000',
  'SET s 1 EXAT 9999999999',
  'SET s 1 PXAT 9999999999999 KEEPTTL',
  'SLOWLOG GET',
  'SORT l LIMIT 1 1 ALPHA DESC',
  'SPUBLISH a 1',
  'SRANDMEMBER e -2',
  'SSCAN e 0',
  'XADD x 3-1 f v',
  'XADD x MAXLEN = 1 3-1 f v',
  'XADD x MINID ~ 1-2 LIMIT 1 3-1 f v',
  'XADD x NOMKSTREAM 5-* f v',
  'XAUTOCLAIM x c k 0 0 COUNT 100',
  'XAUTOCLAIM x c k 5 1-1',
  'XCLAIM x c k 0 1-1 RETRYCOUNT 3 JUSTID',
  'XCLAIM x c k 0 1-1 TIME 1700000000000 FORCE',
  'XGROUP CREATE x c2 $ ENTRIESREAD 3',
  'XGROUP CREATE x c2 1-1',
  'XINFO STREAM x FULL',
  'XPENDING x c - + 10',
  'XPENDING x c 1-1 2-1 10',
  'XRANGE x 1-1 2-1',
  'XRANGE x (1 2 COUNT 2',
  'XREAD STREAMS x 1-1',
  'XREAD STREAMS x 1',
  'XSETID x 9',
  'XSETID x 9-9 ENTRIESADDED 5 MAXDELETEDID 2-2',
  'XTRIM x MAXLEN 1',
  'XTRIM x MINID 2-1',
  'XTRIM x MINID ~ 2 LIMIT 0',
  'ZADD z 5 n',
  'ZADD z GT CH 5 a',
  'ZCOUNT z (1 (2',
  'ZINCRBY z 5 n',
  'ZRANDMEMBER z -2',
  'ZRANGE z 1 2 BYSCORE',
  'ZRANGEBYSCORE z 1 2 LIMIT 1 -1',
  'ZREMRANGEBYRANK z 0 1',
  'ZREMRANGEBYSCORE z 1 2',
  'ZREVRANGE z 1 2',
  'ZUNIONSTORE d 1 z WEIGHTS 2',
]

const TURNS = [7n, 8n, 15n, 16n, 31n, 32n, 53n, 63n, 64n]
const NUMBERS: readonly string[] = [
  ...TURNS.flatMap(bits => [-1n, 0n, 1n].map(beside => (1n << bits) + beside)).flatMap(n => [String(n), String(-n)]),
  ...[
    '',
    '0',
    '-0',
    '+0',
    '-1',
    '+1',
    '--1',
    '01',
    '-01',
    ' 1',
    '1 ',
    '1\0',
    '-',
    '+',
    '1.0',
    '1.5',
    '.5',
    '1.',
    '1e3',
  ],
  ...['0x10', '-0x10', 'nan', '-nan', 'inf', '-inf', '+inf', 'infinity', '1e400', '-1e400', '1e-400', '1e18', '1e19'],
  ...[
    '9223372036854775',
    '9223372036854776',
    '-9223372036854776',
    '99999999999999999999',
    '0-0',
    '1-',
    '-1-1',
    '1-2-3',
  ],
]

/** They end the connection or subscribe it. */
const LEFT_OUT = /^(?:QUIT|SHUTDOWN|P?SUBSCRIBE|SSUBSCRIBE|CLIENT REPLY|MONITOR|CONFIG SET)\b/
/** They wait, but not in a transaction. */
const BLOCKING = /^(?:B[LRZ][A-Z]+|XREAD|XREADGROUP|WAIT|WAITAOF)\b/
/** What they answer is drawn by lot, or about the process: only its kind and length count. */
const BY_LOT = /^(?:[SHZ]RAND|SPOP|RANDOMKEY|ACL GENPASS|DEBUG CLIENT (?:ID|INFO|LIST))/
/** Sizes of another allocator, and what depends on the time: only the kind counts. */
const INSIDES =
  /^(?:DEBUG HTSTATS|SCAN (?:[^0]|0.)|LOLWUT|MEMORY USAGE|INFO|TIME|LASTSAVE|SLOWLOG GET|LATENCY|ROLE|HELLO|XADD .*\*|OBJECT IDLETIME|PTTL|CLUSTER INFO|CLUSTER MYID|COMMAND (?:DOCS|INFO)|BGSAVE|FUNCTION STATS|XINFO|CLIENT (?:INFO|LIST)|ACL LOG|XPENDING)/
const UNORDERED =
  /^(?:SCAN|SSCAN|HSCAN|ZSCAN|SMEMBERS|SUNION|SINTER|SDIFF|HGETALL|HKEYS|HVALS|KEYS|CONFIG GET|COMMAND LIST)\b/

const A_NUMBER = /^(?:[(#]?-?\d+(?:\.\d+)?|\d+-[\d*]+|-|\+|\$|[+-]?inf)$/

/** The command lines; `everyWord`: not only numbers are replaced. */
export function* numberLines(everyWord: boolean): Generator<string[]> {
  for (const line of [...Object.values(COMMANDS_OF_7_2).flat(), ...MORE]) {
    if (LEFT_OUT.test(line)) continue
    const words = splitWords(line).map(String)
    for (let at = 1; at < words.length; at++) {
      if (!everyWord && !A_NUMBER.test(words[at])) continue
      const sign = /^[(#]/.exec(words[at])?.[0] ?? ''
      for (const number of NUMBERS) yield words.with(at, sign + number)
    }
  }
}

const BEFORE = ['RESET', 'FLUSHALL', ...SETUP].map(line => splitWords(line).map(String))
const AFTER = [
  ['CLIENT', 'UNPAUSE'],
  ['SELECT', '0'],
  ['DEBUG', 'DIGEST'],
]

/** What one server says to a line: the reply, and the digest of the data behind it. */
export async function answersTo(connection: FuzzConnection, lines: readonly string[][]): Promise<string[][]> {
  const commands: string[][] = []
  const ends: [reply: number, digest: number][] = []
  for (const words of lines) {
    commands.push(...BEFORE)
    const waits = BLOCKING.test(words.join(' '))
    if (waits) commands.push(['MULTI'], words, ['EXEC'])
    else commands.push(words)
    const reply = commands.length - 1
    commands.push(...AFTER)
    ends.push([reply, commands.length - 1])
  }
  const bytes = Buffer.concat(commands.map(words => encodeCommand(words)))
  const replies = await connection.exchange(bytes, commands.length)
  return ends.map(([reply, digest], i) => [
    shown(lines[i], latin1Text(replies[reply])),
    isTimed(lines[i]) ? '' : latin1Text(replies[digest]),
  ])
}

/** Its effect depends on the clock. */
function isTimed(words: readonly string[]): boolean {
  return words[0] === 'XADD' && words.includes('*')
}

function shown(words: readonly string[], reply: string): string {
  const line = words.join(' ').toUpperCase()
  if (reply.startsWith('-')) return reply
  if (INSIDES.test(line)) return reply[0]
  if (BY_LOT.test(line)) return /^[^\r]*/.exec(reply)![0]
  if (UNORDERED.test(line)) return reply.split('\r\n').sort().join('\r\n')
  return reply
}
