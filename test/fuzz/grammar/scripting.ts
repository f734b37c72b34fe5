import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const SCRIPTS = [
  'return ARGV[1]',
  'return {1, 2.9, "x", false, true, {3, {ok="fine"}}, nil, 4}',
  'return redis.call("get", KEYS[1])',
  'return redis.call("set", KEYS[1], ARGV[1])',
  'return {redis.call("incr", KEYS[1]), redis.call("type", KEYS[1])}',
  'return redis.pcall("lpush", KEYS[1], ARGV[1], ARGV[2])',
  'local r = redis.pcall("incr", KEYS[1]); if r.err then return r.err end; return r',
  'return redis.call("hset", KEYS[1], unpack(ARGV))',
  'return redis.call("zadd", KEYS[1], ARGV[1], ARGV[2])',
  'local n = 0; for _, k in ipairs(KEYS) do n = n + redis.call("exists", k) end; return n',
  'return redis.status_reply("DONE")',
  'return redis.error_reply("MY wrong")',
  'return tostring(#ARGV[1] / 7) .. #ARGV[2]',
  'return cjson.encode({ARGV[1], #KEYS, {a=1}})',
  'return redis.sha1hex(ARGV[1])',
  'return string.format("%s|%5.1f|%x", ARGV[1], 3.14159, 255)',
  'return redis.call("nosuch")',
  'return redis.call("get")',
  'return undefined_global',
  'return 1 +',
] as const

const keysAndArguments = (g: Gen) => [g.chance(0.03) ? g.integer() : '2', g.key(), g.key(), g.value(), g.member()]

export const scripting: Grammar = [
  { name: 'EVAL', weight: 4, args: g => [g.pick(...SCRIPTS), keysAndArguments(g)] },
  { name: 'EVAL_RO', args: g => [g.pick(...SCRIPTS), keysAndArguments(g)] },
  { name: 'EVALSHA', args: g => [g.pick('e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'x'), keysAndArguments(g)] },
  { name: 'SCRIPT LOAD', args: g => g.pick('return 1', ...SCRIPTS) },
  { name: 'SCRIPT EXISTS', args: g => g.some(1, 2, () => g.pick('e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'x')) },
  { name: 'SCRIPT FLUSH', weight: 0.3, args: g => g.maybe(g.pick('SYNC', 'ASYNC', 'x')) },
]
