import type { Gen, Words } from '../gen.ts'
import type { Grammar } from './grammar.ts'

// Signs, digits, empty words, and words that begin or end with them: adjacent ones must not be read as one.
// Never `*`: as an id of XADD it is the current time.
export const ADJACENT_WORDS: readonly string[] = [
  ...'- - - + + 0 00 -0 +0 0x 0x1 -0x 0phone -phone 0- -0- . -. e -e 0e 0. .0 inf -inf i -i nan'.split(' '),
  ...'# #0 ( (- [ [- $ 0-0 -1 -12 -01 -9223372036854775808 -9223372036854775809'.split(' '),
  // A NUL comes behind a byte: SORT ALPHA finds '' and '\0' equal, and the C library's qsort decides which comes first.
  ...['', '', '', '\r\n', '\x02\0', '\xff', '"', "'", '\\'],
]
/** Positive numbers: not for timeouts and expiry times, which would be short. */
export const ADJACENT_NUMBERS: readonly string[] = '1 2 7 9 12 01 +1 1. 1e 1- 1-1 10 0x2'.split(' ')

export function adjacentWord(g: Gen): string {
  return g.chance(0.7) ? g.pick(...ADJACENT_WORDS) : g.pick(...ADJACENT_NUMBERS)
}

const word = adjacentWord
const row = (g: Gen): Words => g.some(1, 8, () => word(g))
const pairs = (g: Gen): Words => g.some(1, 5, () => [word(g), word(g)])

/** Commands with several such words. */
export const adjacent: Grammar = [
  { name: 'RPUSH', weight: 2, args: g => [g.key('l'), row(g)] },
  { name: 'LRANGE', args: g => [g.key('l'), word(g), word(g)] },
  { name: 'LTRIM', args: g => [g.key('l'), word(g), word(g)] },
  { name: 'LREM', args: g => [g.key('l'), word(g), word(g)] },
  { name: 'LSET', since: '7.2', args: g => [g.key('l'), word(g), word(g)] },
  { name: 'LINSERT', args: g => [g.key('l'), g.pick('BEFORE', 'AFTER', word(g)), word(g), word(g)] },
  { name: 'HSET', weight: 2, args: g => [g.key('h'), pairs(g)] },
  { name: 'HMGET', args: g => [g.key('h'), row(g)] },
  { name: 'HINCRBY', weight: 2, args: g => [g.key('h'), word(g), word(g)] },
  { name: 'HINCRBYFLOAT', args: g => [g.key('h'), word(g), word(g)] },
  { name: 'SADD', weight: 2, args: g => [g.key('e'), row(g)] },
  { name: 'SADD', args: g => [g.key('e'), g.some(1, 4, () => g.number(-3, 20)), g.maybe(row(g))] },
  { name: 'SREM', args: g => [g.key('e'), row(g)] },
  { name: 'SMISMEMBER', args: g => [g.key('e'), row(g)] },
  { name: 'ZADD', weight: 2, args: g => [g.key('z'), g.maybe(word(g), 0.1), pairs(g)] },
  { name: 'ZADD', weight: 2, args: g => [g.key('z'), g.some(1, 4, () => [g.number(-3, 9), word(g)])] },
  { name: 'ZINCRBY', args: g => [g.key('z'), word(g), word(g)] },
  { name: 'ZMSCORE', args: g => [g.key('z'), row(g)] },
  { name: 'ZRANGE', args: g => [g.key('z'), word(g), word(g), g.maybe('BYSCORE')] },
  { name: 'ZCOUNT', args: g => [g.key('z'), word(g), word(g)] },
  { name: 'MSET', args: g => [g.key('s'), word(g), g.key('s'), word(g)] },
  { name: 'APPEND', args: g => [g.key('s'), word(g)] },
  { name: 'INCRBY', args: g => [g.key('s'), word(g)] },
  { name: 'SETRANGE', args: g => [g.key('s'), word(g), word(g)] },
  { name: 'GETRANGE', args: g => [g.key('s'), word(g), word(g)] },
  { name: 'SETBIT', args: g => [g.key('b'), word(g), word(g)] },
  { name: 'BITCOUNT', args: g => [g.key('b'), word(g), word(g)] },
  { name: 'BITFIELD', weight: 2, args: g => [g.key('b'), g.some(1, 3, () => field(g))] },
  { name: 'XADD', args: g => [g.key('x'), g.pick(word(g), `1-${word(g)}`, `${word(g)}-1`), pairs(g)] },
  { name: 'XRANGE', args: g => [g.key('x'), word(g), word(g)] },
  { name: 'PFADD', args: g => [g.key('p'), row(g)] },
]

function field(g: Gen): Words {
  const kind = g.pick('GET', 'SET', 'INCRBY')
  const type = g.chance(0.8) ? g.pick('u', 'i', 'u8', 'i8', 'i64', 'u63') : word(g)
  return [kind, type, word(g), kind === 'GET' ? [] : word(g)]
}
