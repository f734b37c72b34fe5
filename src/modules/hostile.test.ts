// What modules may do that is worse than a throw: hostile values, errors and promises, calls where none may be made.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { moduleOf, plain, settled, started } from '../../test/harness/module-server.ts'
import {
  CommandError,
  defineType,
  type ModuleCommand,
  type ModuleDefinition,
  type ModuleReply,
  type ModuleServer,
} from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

function command(name: string, run: ModuleCommand['run'], facts: Partial<ModuleCommand> = {}): ModuleCommand {
  return { name, arity: -1, flags: 'write', run, ...facts }
}

/** A server with a module, that has its data and its replies in order at the end. */
async function withModule(parts: Partial<ModuleDefinition>, work: (server: MachineServer) => Promise<void> | void) {
  const logged: string[] = []
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [moduleOf(parts)] })
  server.server.engine.log = (_, text) => void logged.push(text)
  server.call('set', 'mine', 'v')
  await work(server)
  await settled(server)
  assert.equal(server.call('get', 'mine'), 'v')
  assert.equal(server.call('ping'), 'PONG')
  return logged
}

/** Computed, so that nobody takes the objects for a slip. */
const THEN = 'then'

const throwing = {
  toString: () => {
    throw new Error('toString')
  },
}
const errors: readonly [string, () => unknown][] = [
  ['no prototype', () => Object.create(null)],
  ['a toString that throws', () => throwing],
  ['a symbol', () => Symbol('s')],
  ['undefined', () => undefined],
  ['an error with a message that is none', () => Object.assign(new Error('x'), { message: Symbol('m') })],
  [
    'an error with a stack that throws',
    () =>
      Object.defineProperty(new Error('x'), 'stack', {
        get() {
          throw new Error('stack')
        },
      }),
  ],
  [
    'an error with a name that throws',
    () =>
      Object.defineProperty(new Error('x'), 'name', {
        get() {
          throw new Error('name')
        },
      }),
  ],
  [
    'a proxy',
    () =>
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('proxy')
          },
        },
      ),
  ],
]

/** A module all of whose functions throw. */
function failing(fails: () => never): Partial<ModuleDefinition> {
  return {
    commands: [
      command('h.now', ctx => {
        ctx.call('SET', 'k', 1)
        fails()
        return 1
      }),
      command(
        'h.later',
        async ctx => {
          await null
          ctx.call('SET', 'k', 2)
          fails()
          return 1
        },
        { flags: 'write blocking' },
      ),
      command('h.channels', () => 1, { channels: fails }),
    ],
    info: { '': fails },
    config: { p: { kind: 'integer', initial: 1, changed: fails } },
    setup(server) {
      server.on('key-changed', fails)
      server.on('key-changed', async () => fails())
      server.every(10, fails)
      server.filterReplies(({ args }) => (args.length === 2 ? fails() : undefined))
      server.filter(({ args }) => (args.length === 2 ? fails() : undefined))
    },
  }
}

for (const [what, made] of errors)
  test(`${what}, thrown by all that a module has, harms nothing`, async () => {
    const fails = () => {
      throw made()
    }
    await withModule(failing(fails), async server => {
      assert.match(String(plain(server.call('h.now', 1, 2))), /^-ERR module command failed/)
      const client = started(server, 'h.later', '1', '2')
      await settled(server)
      assert.match(String(plain(server.take(client)[0])), /^-ERR module command failed/)
      server.call('get', 'mine')
      server.call('h.channels', 'a', 'b')
      server.call('info', 'everything')
      server.call('config', 'set', 'twin.p', 3)
      for (let ms = 0; ms < 30; ms++) server.machine.advance(1)
    })
  })

let looks = 0
const values: Record<string, () => unknown> = {
  getter: () => Object.defineProperty([1, 2], 1, { get: () => (looks++ % 2 === 0 ? 1 : () => 1) }),
  longer: () => new Proxy([1, 2, 3], { get: (of, name) => (name === 'length' ? 5 : Reflect.get(of, name)) }),
  map: () =>
    new (class extends Map<unknown, unknown> {
      override get size() {
        return 7
      }
    })([['a', 1]]),
  set: () =>
    new (class extends Set<unknown> {
      override get size() {
        return 0
      }
    })(['a', 1]),
  [THEN]: () => ({
    get [THEN]() {
      throw new Error('then')
    },
  }),
  wait: () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('get')
        },
      },
    ),
  bytes: () => Object.defineProperty(new Uint8Array(4), 'length', { value: 1e9 }),
  big: () =>
    new (class extends Uint8Array {
      override get length() {
        return 1e9
      }
    })(100),
  symbols: () => new Map([[Symbol('s'), 1]] as never),
  number: () => new Number(5),
  typed: () => ({ kind: 'simple', value: 'a\r\n+b' }),
  revoked: () => {
    const p = Proxy.revocable([], {})
    p.revoke()
    return p.proxy
  },
}

test('replies that change between two looks are errors', async () => {
  const commands = Object.entries(values).map(([name, made]) =>
    command(`h.${name}`, ctx => {
      ctx.call('SET', 'k', name)
      return made() as ModuleReply
    }),
  )
  // These say the same whenever they are looked at.
  const consistent = new Set(['h.longer', 'h.bytes', 'h.big'])
  await withModule({ commands }, server => {
    for (const { name } of commands) {
      const said = plain(server.call(name))
      if (!consistent.has(name)) assert.match(String(said), /^-ERR module command failed/, `${name}: ${String(said)}`)
      assert.equal(server.call('echo', name), name)
    }
  })
})

test('words of commands are text, numbers and bytes, and nothing runs while they are read', async () => {
  const words: readonly unknown[] = [undefined, null, true, {}, [], throwing, Symbol('s'), () => 1]
  let evil: unknown
  const commands = [
    command('h.word', ctx => ctx.call('SET', 'k', words[ctx.integer(1)] as never)),
    command('h.key', ctx => {
      ctx.keys.string(words[ctx.integer(1)] as never)
      return 1
    }),
    command('h.set', ctx => {
      ctx.writableKeys.setString('k', words[ctx.integer(1)] as never)
      return 1
    }),
    command('h.hash', ctx => {
      ctx.writableKeys.hash('h').set('f', words[ctx.integer(1)] as never)
      return 1
    }),
    command('h.evil', ctx => {
      const hash = ctx.keys.hash('h')!
      evil = {
        toString() {
          ctx.call('DEL', 'h')
          return 'f'
        },
      }
      return hash.get(evil as never)
    }),
  ]
  await withModule({ commands }, server => {
    for (const [i] of words.entries())
      for (const name of ['h.word', 'h.key', 'h.set', 'h.hash'])
        assert.match(String(plain(server.call(name, i))), /^-ERR module command failed: a word/, `${name} ${i}`)
    server.call('hset', 'h', 'f', 'v')
    assert.match(String(plain(server.call('h.evil'))), /a word/)
    assert.equal(server.call('hget', 'h', 'f'), 'v')
    assert.equal(server.call('exists', 'k'), 0)
  })
})

test('what is thenable but no promise is waited for, and settled once', async () => {
  const thenables: readonly unknown[] = [
    { [THEN]() {} },
    {
      [THEN](resolve: (v: unknown) => void, reject: (e: unknown) => void) {
        resolve('a')
        reject(new Error('b'))
        resolve('c')
      },
    },
    {
      [THEN]() {
        throw new Error('then throws')
      },
    },
    { [THEN]: 5 },
    Object.assign(Promise.resolve(1), { [THEN]: () => undefined }),
  ]
  const commands = thenables.map((value, i) =>
    command(
      `h.then${i}`,
      ctx => {
        ctx.call('SET', 'k', i)
        return value as never
      },
      { flags: 'write blocking', timeoutMs: 50 },
    ),
  )
  await withModule({ commands }, async server => {
    const replies: unknown[] = []
    for (const { name } of commands) {
      const client = started(server, name)
      await settled(server)
      for (let ms = 0; ms < 60; ms++) server.machine.advance(1)
      await settled(server)
      replies.push(plain(server.take(client)[0]))
      server.send(client, ['echo', 'end'])
      await settled(server)
      assert.deepEqual(server.take(client), ['end'])
    }
    assert.equal(replies[0], null)
    assert.equal(replies[1], 'a')
    assert.match(String(replies[2]), /then throws/)
    assert.match(String(replies[3]), /an object is no reply/)
  })
})

test('commands that call themselves end with an error, and the server goes on', async () => {
  const commands = [
    command('h.self', ctx => {
      ctx.call('INCR', 'depth')
      return ctx.call('h.self')
    }),
    command('h.mutual', ctx => ctx.call('h.mutual2')),
    command('h.mutual2', ctx => ctx.call('h.mutual')),
  ]
  await withModule({ commands }, server => {
    assert.match(String(plain(server.call('h.self'))), /nested too deeply/)
    assert.match(String(plain(server.call('h.mutual'))), /nested too deeply/)
    assert.equal(server.call('incr', 'after'), 1)
  })
})

test('a handler that goes on after its module was unloaded can do nothing any more', async () => {
  let goOn: () => void = () => {}
  const outcomes: string[] = []
  const tried = (name: string, work: () => unknown) => {
    try {
      work()
      outcomes.push(`${name} worked`)
    } catch (error) {
      outcomes.push((error as Error).message)
    }
  }
  let held: ModuleServer | undefined
  const commands = [
    command(
      'h.wait',
      async ctx => {
        await new Promise<void>(resolve => (goOn = resolve))
        for (const [of, name] of [
          [ctx, 'ctx'],
          [held!, 'server'],
        ] as const) {
          tried(`${name}.call`, () => of.call('SET', 'k', 'late'))
          tried(`${name}.on`, () => of.on('key-changed', () => outcomes.push('heard')))
          tried(`${name}.filter`, () =>
            of.filter(() => {
              throw new CommandError('ERR filtered')
            }),
          )
          tried(`${name}.filterReplies`, () => of.filterReplies(() => 'changed'))
          tried(`${name}.every`, () => of.every(1, () => outcomes.push('ticked')))
          tried(`${name}.after`, () => of.after(1, () => outcomes.push('ticked')))
          tried(`${name}.atomically`, () => of.atomically(() => of.call('SET', 'k', 'late')))
        }
        return 1
      },
      { flags: 'write blocking', timeoutMs: 5 },
    ),
  ]
  await withModule({ commands, setup: server => void (held = server) }, async server => {
    const client = started(server, 'h.wait')
    for (let ms = 0; ms < 10; ms++) server.machine.advance(1)
    assert.deepEqual(server.take(client), [null])
    assert.equal(server.server.engine.host.modules.unload('twin'), undefined)
    goOn()
    await settled(server)
    server.call('set', 'other', 1)
    for (let ms = 0; ms < 10; ms++) server.machine.advance(1)
    await settled(server)
    assert.deepEqual(new Set(outcomes), new Set(['ERR the module has been unloaded']))
    assert.equal(server.call('exists', 'k'), 0)
  })
})

/** A type whose functions say that they run. */
function callingType(tries: (what: string) => void) {
  return defineType<{ n: number }>({
    name: 'hostile01',
    encodingVersion: 0,
    save: ({ n }, out) => {
      tries('save')
      out.unsigned(n)
    },
    load: input => {
      tries('load')
      return { n: input.unsigned() }
    },
    memory: () => {
      tries('memory')
      return 8
    },
    free: () => tries('free'),
    freeEffort: () => {
      tries('freeEffort')
      return 1
    },
    copy: value => {
      tries('copy')
      return { ...value }
    },
    digest: (value, mix) => {
      tries('digest')
      mix(value.n)
    },
    *rewrite({ n }) {
      tries('rewrite')
      yield ['H.NEW', n]
    },
    aux: { save: () => tries('aux save'), load: () => tries('aux load') },
  })
}

test('a type’s functions and filters call no commands', async () => {
  let server_: ModuleServer | undefined
  const said: string[] = []
  const tries = (what: string) => {
    try {
      server_?.call('FLUSHALL')
      said.push(`${what} has called`)
    } catch (error) {
      said.push((error as Error).message)
    }
  }
  const type = callingType(tries)
  const commands = [
    command(
      'h.new',
      ctx => {
        ctx.write(type, ctx.args[1]).set({ n: 1 })
        return 1
      },
      { propagation: 'verbatim', keys: 'RW UPDATE @1' },
    ),
  ]
  await withModule(
    {
      types: [type],
      commands,
      setup(server) {
        server_ = server
        server.filter(() => {
          tries('filter')
          return undefined
        })
        server.filterReplies(() => {
          tries('filter of replies')
          return undefined
        })
      },
    },
    async server => {
      server.call('h.new', 'a')
      server.call('h.new', 'a')
      server.call('copy', 'a', 'b')
      const dump = server.call('dump', 'a')
      server.call('restore', 'c', 0, Buffer.from(String(dump), 'latin1') as never)
      server.call('debug', 'digest')
      server.call('memory', 'usage', 'a')
      server.call('save')
      server.call('unlink', 'b')
      server.call('set', 'a', 'string')
      server.call('bgrewriteaof')
      await settled(server)
      for (let ms = 0; ms < 2000; ms++) server.machine.advance(1)
      assert.deepEqual(
        [...new Set(said)].filter(one => one.includes('has called')),
        [],
      )
    },
  )
})

test('timers and time-outs with times that are none', async () => {
  const odd = [Number.NaN, -1, Number.POSITIVE_INFINITY, 0, 1e300, 'x' as never]
  let runs = 0
  const commands = odd.map((timeoutMs, i) =>
    // A word there is refused with the definition: shape.test.ts.
    command(`h.t${i}`, () => new Promise(() => {}), { flags: 'write blocking', timeoutMs: Number(timeoutMs) }),
  )
  const waits = odd.map((timeoutMs, i) => command(`h.w${i}`, ctx => ctx.waitForKeys(1, { timeoutMs })))
  await withModule(
    {
      commands: [...commands, ...waits],
      setup(server) {
        for (const ms of odd) {
          try {
            server.every(ms, () => void runs++)
          } catch {}
          try {
            server.after(ms, () => void runs++)
          } catch {}
        }
      },
    },
    async server => {
      for (const { name } of [...commands, ...waits]) started(server, name, 'nokey')
      for (let ms = 0; ms < 20; ms++) server.machine.advance(1)
      assert.ok(runs < 200, String(runs))
    },
  )
})
