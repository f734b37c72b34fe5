// What runs inside the context of a library of JavaScript functions, before the library: the global `redis`, a clock
// that stands, random numbers that repeat. The context gets the text of this file's functions, which name nothing but
// one another, and what every context has.
//
//   redis.call('HGETALL', k) ─▶ words ─▶ exchange() ─▶ RESP3 of the reply ─▶ values of this context
//
// Always: the functions of the thread (exchange, encode, decode) take and return texts, and are called through
// guarded() alone: what they throw, a stack overflow say, is replaced by an error of the context.

type Value = unknown
type Convert = (text: string) => string

interface Registered {
  readonly name: string
  readonly description: string
  readonly flags: string
  readonly callback: (...args: unknown[]) => Value
}

/** The named arguments of redis.register(). */
interface Given {
  readonly name: unknown
  readonly callback: unknown
  readonly description: unknown
  readonly flags: unknown
}

interface Errors {
  /** `counted`: the server has counted it. */
  readonly RedisError: new (
    message: string,
    counted?: boolean,
  ) => Error & { readonly counted: boolean }
  readonly Status: new (ok: string) => { readonly ok: string }
}

interface Codec {
  readonly toBytes: Convert
  readonly toText: Convert
  chars(bytes: Uint8Array): string
  bytesOf(text: string): Uint8Array
  netstring(text: string): string
  packed(text: string): string[]
}

/** Of a context, for all its functions. */
interface State {
  isCalled: boolean
  nowMs: number
  random: number
  readonly registered: Registered[]
}

/** The text of a function of exchange, encode and decode that returns what the thread calls. */
export function contextSource(): string {
  const parts = [guarded, errorsOf, codecOf, readerOf, writerOf, failureOf, runnerOf, registerOf, fix, insideOf]
  return `(() => { 'use strict'\n${parts.join('\n')}\nreturn ${main} })()`
}

function main(exchange: Convert, encode: Convert, decode: Convert): object {
  const errors = errorsOf()
  const codec = codecOf(guarded(encode), guarded(decode))
  const ask = guarded(exchange)
  const state: State = { isCalled: false, nowMs: 0, random: 0, registered: [] }
  const run = runnerOf(ask, state, codec, errors, readerOf(codec, errors))
  const redis = {
    call: (...words: Value[]) => run(words, false),
    callBytes: (...words: Value[]) => run(words, true),
    register: registerOf(state, errors),
    status: (text: string) => new errors.Status(`${text}`),
    error: (text: string) => new errors.RedisError(`${text}`),
    log: (level: string, text: string) => {
      ask(`l${codec.netstring(`${level}`)}${codec.netstring(codec.toBytes(`${text}`))}`)
    },
    RedisError: errors.RedisError,
  }
  fix(state, Object.freeze(redis))
  const { result, line } = writerOf(codec, errors)
  return insideOf(state, codec, result, failureOf(errors, line))
}

function guarded(convert: Convert): Convert {
  return text => {
    if (typeof text !== 'string') throw new TypeError('not a text')
    try {
      return convert(text)
    } catch {
      throw new Error('the call is too deep or too large')
    }
  }
}

function errorsOf(): Errors {
  class RedisError extends Error {
    override readonly name = 'RedisError'
    readonly counted: boolean

    constructor(message: string, counted = false) {
      super(message)
      this.counted = counted
    }
  }
  class Status {
    readonly ok: string

    constructor(ok: string) {
      this.ok = ok
    }
  }
  return { RedisError, Status }
}

function codecOf(toBytes: Convert, toText: Convert): Codec {
  return {
    toBytes,
    toText,
    chars(bytes) {
      let text = ''
      for (let from = 0; from < bytes.length; from += 4096)
        text += String.fromCharCode.apply(null, bytes.subarray(from, from + 4096) as unknown as number[])
      return text
    },
    bytesOf(text) {
      const bytes = new Uint8Array(text.length)
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
      return bytes
    },
    netstring: text => `${text.length}:${text}`,
    packed(text) {
      const words: string[] = []
      for (let at = 0; at < text.length; ) {
        const colon = text.indexOf(':', at)
        const end = colon + 1 + Number(text.slice(at, colon))
        words.push(text.slice(colon + 1, end))
        at = end
      }
      return words
    },
  }
}

/** Reads RESP3. */
function readerOf(codec: Codec, { RedisError }: Errors): (text: string, asBytes: boolean) => Value {
  const { toText, chars, bytesOf } = codec
  return (text, asBytes) => {
    let at = 0
    const body = (length: number) => {
      const from = at
      at += length + 2
      return text.slice(from, from + length)
    }
    const list = (count: number) => {
      const items: Value[] = []
      for (let i = 0; i < count; i++) items.push(value())
      return items
    }
    const map = (count: number) => {
      const fields = Object.create(null)
      for (let i = 0; i < count; i++) {
        const key = value()
        fields[key instanceof Uint8Array ? toText(chars(key)) : `${key}`] = value()
      }
      return fields
    }
    const value = (): Value => {
      const type = text[at]
      const end = text.indexOf('\r\n', at)
      const head = text.slice(at + 1, end)
      at = end + 2
      if (type === '$' && head !== '-1') return asBytes ? bytesOf(body(Number(head))) : toText(body(Number(head)))
      if (type === ':') return Number.isSafeInteger(Number(head)) ? Number(head) : BigInt(head)
      if (type === '+') return toText(head)
      if (type === '-') return new RedisError(toText(head), true)
      if (type === ',') return head === 'inf' ? Infinity : head === '-inf' ? -Infinity : Number(head)
      if (type === '#') return head === 't'
      if (type === '(') return BigInt(head)
      if (type === '=') return toText(body(Number(head)).slice(4))
      if (type === '%') return map(Number(head))
      if (type === '|') {
        list(Number(head) * 2)
        return value()
      }
      return head === '-1' || type === '_' || type === '$' ? null : list(Number(head))
    }
    return value()
  }
}

/** Writes a result as RESP3. */
function writerOf(codec: Codec, errors: Errors): { result(value: Value): string; line(text: string): string } {
  const DEPTH_MAX = 128
  const { RedisError, Status } = errors
  const line = (text: string) => codec.toBytes(`${text}`.replaceAll('\r', ' ').replaceAll('\n', ' '))
  const bulk = (bytes: string) => `$${bytes.length}\r\n${bytes}\r\n`
  const structure = (value: object, depth: number): string => {
    if (depth > DEPTH_MAX) throw new RedisError('ERR the result is nested too deeply')
    if (value instanceof Uint8Array) return bulk(codec.chars(value))
    if (value instanceof Status) return `+${line(value.ok)}\r\n`
    if (value instanceof RedisError) return `-${line(value.message)}\r\n`
    if (value instanceof Error) return `-ERR ${line(value.message)}\r\n`
    if (value instanceof Promise) throw new RedisError('ERR a function cannot wait: it returned a promise')
    const items = (prefix: string, count: number, all: Iterable<Value>) => {
      let text = `${prefix}${count}\r\n`
      for (const one of all) text += result(one, depth)
      return text
    }
    if (Array.isArray(value)) return items('*', value.length, value)
    if (value instanceof Set) return items('~', value.size, value)
    const pairs = value instanceof Map ? [...value] : Object.entries(value)
    return items('%', pairs.length, pairs.flat(1))
  }
  const result = (value: Value, depth: number): string => {
    if (typeof value === 'string') return bulk(codec.toBytes(value))
    if (typeof value === 'number') return Number.isSafeInteger(value) ? `:${value}\r\n` : `,${value}\r\n`
    if (typeof value === 'boolean') return value ? '#t\r\n' : '#f\r\n'
    if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) throw new RedisError('ERR the result is no 64-bit integer')
      return `:${value}\r\n`
    }
    return typeof value === 'object' && value !== null ? structure(value, depth + 1) : '_\r\n'
  }
  return { result: value => result(value, 0), line }
}

/** The message for what a library or a function has thrown. */
function failureOf({ RedisError }: Errors, line: (text: string) => string): (error: unknown) => string {
  return error => {
    try {
      if (!(error instanceof Error)) return `X00 ${line(`ERR ${error}`)}`
      const text = error instanceof RedisError ? error.message : `ERR ${error.message}`
      const counted = error instanceof RedisError && error.counted ? 1 : 0
      const stack = `${error.stack}`
      const mark = '@user_function:'
      const from = stack.indexOf(mark)
      const place = from < 0 ? 0 : Number.parseInt(stack.slice(from + mark.length), 10)
      return `X${counted}${place} ${line(text)}`
    } catch {
      return 'X00 ERR the function has thrown something that has no text'
    }
  }
}

/** redis.call. */
function runnerOf(
  ask: Convert,
  state: State,
  codec: Codec,
  { RedisError }: Errors,
  read: (text: string, asBytes: boolean) => Value,
): (words: Value[], asBytes: boolean) => Value {
  const word = (value: Value) => {
    if (typeof value === 'string') return codec.toBytes(value)
    if (typeof value === 'number' || typeof value === 'bigint') return `${value}`
    if (value instanceof Uint8Array) return codec.chars(value)
    throw new TypeError('words of a command are strings, numbers and Uint8Arrays')
  }
  return (words, asBytes) => {
    if (!state.isCalled) throw new RedisError('ERR commands cannot be called while a library is loaded')
    let text = 'c'
    for (const one of words) text += codec.netstring(word(one))
    const reply = ask(text)
    if (reply[0] === 'E') throw new RedisError(codec.toText(reply.slice(1)), true)
    const value = read(reply.slice(1), asBytes)
    if (value instanceof RedisError) throw value
    return value
  }
}

/** redis.register. */
function registerOf(state: State, { RedisError }: Errors): (given: unknown, callback: unknown) => void {
  return (given, second) => {
    if (state.isCalled) throw new RedisError('ERR functions can only be registered while a library is loaded')
    const named = typeof given === 'object' && given !== null ? given : { name: given, callback: second }
    const { name, callback, description = '', flags = [] } = named as Partial<Given>
    if (typeof name !== 'string') throw new RedisError('ERR a function is registered with a name, a string')
    if (typeof callback !== 'function') throw new RedisError('ERR a function is registered with a callback, a function')
    if (typeof description !== 'string' || !Array.isArray(flags))
      throw new RedisError('ERR the description of a function is a string, its flags are an array')
    const made = callback as Registered['callback']
    state.registered.push({ name, description, flags: flags.join(','), callback: made })
  }
}

/** What is the same whenever and wherever it runs; and `redis`. */
function fix(state: State, redis: object): void {
  const define = (where: object, name: string, value: unknown) =>
    Object.defineProperty(where, name, { value, writable: false, configurable: false, enumerable: false })
  const RealDate = Date
  function FixedDate(...args: []): Date | string {
    if (new.target === undefined) return new RealDate(state.nowMs).toString()
    return args.length === 0 ? new RealDate(state.nowMs) : new RealDate(...args)
  }
  FixedDate.prototype = RealDate.prototype
  FixedDate.now = () => state.nowMs
  FixedDate.parse = RealDate.parse
  FixedDate.UTC = RealDate.UTC
  define(RealDate.prototype, 'constructor', FixedDate)
  define(globalThis, 'Date', FixedDate)
  // Xorshift, of 32 bits.
  define(Math, 'random', () => {
    state.random ^= state.random << 13
    state.random ^= state.random >>> 17
    state.random ^= state.random << 5
    return (state.random >>> 0) / 2 ** 32
  })
  define(Error, 'prepareStackTrace', undefined)
  const gone = ['Atomics', 'SharedArrayBuffer', 'WebAssembly', 'FinalizationRegistry', 'WeakRef', 'ShadowRealm']
  for (const name of [...gone, 'Intl', 'Temporal', 'console', 'escape', 'unescape'])
    Reflect.deleteProperty(globalThis, name)
  define(globalThis, 'redis', redis)
}

/** What the thread calls. */
function insideOf(
  state: State,
  codec: Codec,
  result: (value: Value) => string,
  failed: (error: unknown) => string,
): object {
  const SEED = 0x9e3779b9
  const { netstring, toBytes, toText, bytesOf, packed } = codec
  return {
    failed,
    registered() {
      state.isCalled = true
      let text = 'D'
      for (const { name, description, flags } of state.registered)
        text += netstring(toBytes(name)) + netstring(toBytes(description)) + netstring(toBytes(flags))
      return text
    },
    call(index: number, nowMs: number, keyCount: number, words: string) {
      state.nowMs = nowMs
      state.random = SEED
      try {
        const raw: Uint8Array[] = []
        const texts: string[] = []
        for (const word of packed(words)) {
          raw.push(bytesOf(word))
          texts.push(toText(word))
        }
        const bytes = { keys: raw.slice(0, keyCount), args: raw.slice(keyCount) }
        const { callback } = state.registered[index]
        return `D${result(callback(texts.slice(0, keyCount), texts.slice(keyCount), bytes))}`
      } catch (error) {
        return failed(error)
      }
    },
  }
}
