// Scripts of a realistic size, for the benchmark.

import type { Word } from '../harness/resp.ts'

/** A sliding-window rate limiter. KEYS: the sorted set. ARGV: now, length of the window, requests allowed in it. */
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
 * Adds a job to a queue, in the style of job queue libraries: MessagePack arguments and many helper functions, few of
 * which are called. KEYS: waiting, held, meta, id, done, later, active, events, marker. ARGV: packed [prefix, id, name,
 * timestamp], data, packed options.
 */
export const addJobScript = `
local call = redis.call
local job = cmsgpack.unpack(ARGV[1])
local data = ARGV[2]
local options = cmsgpack.unpack(ARGV[3])
local events = KEYS[8]

local function mark(marker, held)
  if not held then call('ZADD', marker, 0, '0') end
end

local function push(target, marker, command, held, id)
  call(command, target, id)
  mark(marker, held)
end

local function nextTime(later)
  local first = call('ZRANGE', later, 0, 0, 'WITHSCORES')
  if #first > 0 then return tonumber(first[2]) / 4096 end
end

local function postpone(id, later, time, limit, marker, delay)
  local score = (tonumber(time) + delay) * 4096
  local last = call('ZREVRANGEBYSCORE', later, score + 4095, score, 'WITHSCORES', 'LIMIT', 0, 1)
  if #last > 0 then score = tonumber(last[2]) + 1 end
  call('ZADD', later, score, id)
  call('XADD', events, 'MAXLEN', '~', limit, '*', 'event', 'delayed', 'jobId', id, 'delay', score / 4096)
  local time = nextTime(later)
  if time ~= nil then call('ZADD', marker, time, '1') end
end

local function eventLimit(meta)
  local limit = call('HGET', meta, 'limit')
  if not limit then
    limit = 10000
    call('HSET', meta, 'limit', limit)
  end
  return limit
end

local function targetOf(meta, active, waiting, held)
  local state = call('HMGET', meta, 'paused', 'concurrency', 'max', 'duration')
  if state[1] then return held, true end
  if state[2] and call('LLEN', active) >= tonumber(state[2]) then return waiting, true end
  return waiting, false
end

local function duplicate(deduplication, id, key)
  if deduplication and deduplication['id'] then
    local first = call('SET', key, id, 'NX', 'PX', deduplication['ttl'])
    if not first then return call('GET', key) end
  end
end

local function store(key, id, name, data, options, time, parent)
  local text = cjson.encode(options)
  local delay = options['delay'] or 0
  local priority = options['priority'] or 0
  local fields = {}
  if parent ~= nil then
    table.insert(fields, 'parent')
    table.insert(fields, parent)
  end
  if options['de'] then
    table.insert(fields, 'deduplication')
    table.insert(fields, options['de']['id'])
  end
  call('HMSET', key, 'name', name, 'data', data, 'opts', text, 'timestamp', time, 'delay', delay, 'priority', priority,
    unpack(fields))
  call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', name)
end

local id
local number = call('INCR', KEYS[4])
local limit = eventLimit(KEYS[3])
local time = job[4]
if job[2] == '' then id = number .. '' else id = job[2] end
local key = job[1] .. id
if job[2] ~= '' and call('EXISTS', key) == 1 then
  call('XADD', events, 'MAXLEN', '~', limit, '*', 'event', 'duplicated', 'jobId', id)
  return id
end
local other = duplicate(options['de'], id, key .. ':de')
if other then return other end
store(key, id, job[3], data, options, time, job[5])
if options['delay'] then
  postpone(id, KEYS[6], time, limit, KEYS[9], options['delay'])
  return id
end
local target, held = targetOf(KEYS[3], KEYS[7], KEYS[1], KEYS[2])
push(target, KEYS[9], options['lifo'] and 'RPUSH' or 'LPUSH', held, id)
call('XADD', events, 'MAXLEN', '~', limit, '*', 'event', 'waiting', 'jobId', id)
return id
`

/** ['queue:', '', 'mail', 1700000000000.5, nil, nil] in MessagePack. */
const JOB = Buffer.from('96a671756575653aa0a46d61696ccb4278bcfe56800800c0c0', 'hex')
/** {attempts: 3, backoff: {type: 'fixed', delay: 20}, removeOnComplete: true} in MessagePack. */
const OPTIONS = Buffer.from(
  '83a8617474656d70747303a76261636b6f666682a474797065a56669786564a564656c617914b072656d6f76654f6e436f6d706c657465c3',
  'hex',
)
const KEYS = 'wait paused meta id completed delayed active events marker'.split(' ').map(name => `queue:${name}`)

export const jobArguments = (i: number): Word[] => [
  KEYS.length,
  ...KEYS,
  JOB,
  JSON.stringify({ to: `user${i}@example.org`, subject: 'hello', body: 'x'.repeat(100) }),
  OPTIONS,
]
