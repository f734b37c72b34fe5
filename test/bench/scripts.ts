// Scripts of the size that applications send, for the benchmark.

import type { Word } from '../harness/resp.ts'

/** A sliding window in a sorted set. KEYS: the window. ARGV: now, length of the window, requests allowed in it. */
export const rateLimitScript = `
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
if count >= limit then
  return {0, redis.call('PTTL', KEYS[1])}
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], window)
return {1, limit - redis.call('ZCARD', KEYS[1])}
`

/**
 * A job into a queue, as libraries for job queues do it: options packed by the client, a hash for the job, a list, a
 * stream of events. KEYS: prefix. ARGV: packed options, name, data.
 */
export const addJobScript = `
local prefix = KEYS[1]
local options = cmsgpack.unpack(ARGV[1])

local function stateKey(state)
  return prefix .. state
end

local function emit(event, ...)
  return redis.call('XADD', stateKey('events'), 'MAXLEN', '~', options.keepEvents or 10000, '*', 'event', event, ...)
end

local function isHeld()
  local held = redis.call('HMGET', stateKey('meta'), 'paused', 'concurrency')
  if held[1] then return true end
  if held[2] then
    return redis.call('LLEN', stateKey('active')) >= tonumber(held[2])
  end
  return false
end

local function store(id, name, data, at)
  local fields = {'name', name, 'data', data, 'opts', cjson.encode(options), 'timestamp', at}
  if options.delay and options.delay > 0 then
    fields[#fields + 1] = 'delay'
    fields[#fields + 1] = options.delay
  end
  if options.parent then
    fields[#fields + 1] = 'parent'
    fields[#fields + 1] = options.parent
  end
  redis.call('HMSET', prefix .. id, unpack(fields))
  return prefix .. id
end

local function enqueue(id)
  local target = isHeld() and 'paused' or 'wait'
  if options.lifo then
    redis.call('RPUSH', stateKey(target), id)
  else
    redis.call('LPUSH', stateKey(target), id)
  end
  redis.call('ZADD', stateKey('marker'), 0, '0')
  redis.call('LTRIM', stateKey(target), 0, 999)
end

local id = options.id or redis.call('INCR', stateKey('id')) % 1000
local jobKey = prefix .. id
if redis.call('EXISTS', jobKey) == 1 and options.id then
  emit('duplicated', 'jobId', id)
  return id
end
store(id, ARGV[2], ARGV[3], options.timestamp)
emit('added', 'jobId', id, 'name', ARGV[2])
enqueue(id)
emit('waiting', 'jobId', id)
return id .. ''
`

/** {attempts: 3, timestamp: 1700000000000} in MessagePack. */
const OPTIONS = Buffer.from('82a8617474656d70747303a974696d657374616d70cf0000018bcfe56800', 'hex')

export const jobArguments = (i: number): Word[] => [
  1,
  'queue:',
  OPTIONS,
  'mail',
  JSON.stringify({ to: `user${i}@example.org`, subject: 'hello', body: 'x'.repeat(200) }),
]
