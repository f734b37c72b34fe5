// A module with a type of values, for tests: counts of members.

import {
  defineModule,
  defineType,
  type ModuleCommand,
  type ModuleContext,
  type ModuleType,
  type RedstartModule,
  type TypeDefinition,
} from '../../src/module.ts'

type Tally = Map<string, number>

type Part = 'save' | 'load' | 'copy' | 'free' | 'memory' | 'digest' | 'rewrite'

interface TallyOptions {
  /** A member of a value is freed. */
  onFree?: () => void
  /** Throws in this part. */
  bad?: Part
  version?: number
  /** Without rewrite, digest and copy. */
  isRestored?: boolean
}

const TEXT = new TextDecoder()

export function tallyModule(options: TallyOptions = {}): RedstartModule {
  const type = typeOf(options)
  return defineModule({ name: 'tally', version: 1, apiVersion: 1, types: [type], commands: commandsOf(type) })
}

function sorted(value: Tally): [string, number][] {
  return [...value].sort(([a], [b]) => (a < b ? -1 : 1))
}

function typeOf({ onFree, bad, version = 1, isRestored }: TallyOptions): ModuleType<Tally> {
  const fail = (part: Part) => {
    if (part === bad) throw new Error(`no ${part}`)
  }
  return defineType<Tally>({
    ...(isRestored !== true && ownParts(fail)),
    name: 'tally-one',
    encodingVersion: version,
    *save(value, out) {
      out.unsigned(value.size)
      for (const [member, count] of sorted(value)) {
        fail('save')
        out.string(member)
        out.signed(-count)
        out.double(count / 2)
        out.float(0.5)
        yield
      }
    },
    load(input, encodingVersion) {
      fail('load')
      if (encodingVersion > version) throw new Error(`encoding version ${encodingVersion}`)
      const value: Tally = new Map()
      for (let left = input.unsigned(); left > 0; left--) {
        const member = input.text()
        const count = -input.signed()
        if (input.double() !== count / 2 || input.float() !== 0.5) throw new Error('no tally')
        value.set(member, count)
      }
      return value
    },
    memory(value) {
      fail('memory')
      let bytes = 64
      for (const member of value.keys()) bytes += 32 + member.length
      return bytes
    },
    freeEffort: value => value.size,
    *free(value) {
      fail('free')
      for (const _ of value) {
        onFree?.()
        yield
      }
    },
  })
}

/** The parts that a type may be without. */
function ownParts(fail: (part: Part) => void): Partial<TypeDefinition<Tally>> {
  return {
    *rewrite(value) {
      fail('rewrite')
      for (const [member, count] of value) yield ['tally.set', member, count]
    },
    digest(value, mix) {
      fail('digest')
      for (const [member, count] of sorted(value)) mix(`${member}=${count}`)
    },
    copy(value) {
      fail('copy')
      return new Map(value)
    },
  }
}

function commandsOf(type: ModuleType<Tally>): ModuleCommand[] {
  const write = { flags: 'write denyoom', keys: 'RW UPDATE @1', propagation: 'verbatim' as const }
  return [
    {
      name: 'tally.add',
      arity: -3,
      ...write,
      run: ctx =>
        changed(ctx, type, value => {
          for (const word of ctx.args.slice(2)) {
            const member = TEXT.decode(word)
            value.set(member, (value.get(member) ?? 0) + 1)
          }
        }),
    },
    {
      name: 'tally.set',
      arity: 4,
      ...write,
      run: ctx => changed(ctx, type, value => value.set(ctx.text(2), ctx.integer(3))),
    },
    {
      name: 'tally.log',
      arity: 3,
      ...write,
      run(ctx) {
        ctx.call('INCR', 'calls')
        return ctx.call('tally.add', ctx.args[1], ctx.args[2])
      },
    },
    {
      name: 'tally.clear',
      arity: 2,
      ...write,
      run(ctx) {
        const key = ctx.write(type, ctx.args[1])
        const had = key.value !== undefined
        key.delete()
        return had ? 1 : 0
      },
    },
    {
      name: 'tally.get',
      arity: 3,
      flags: 'readonly',
      keys: 'RO ACCESS @1',
      run: ctx => ctx.read(type, ctx.args[1])?.get(ctx.text(2)) ?? 0,
    },
  ]
}

/** Changes the value of args[1]; returns the sum of its counts. */
function changed(ctx: ModuleContext, type: ModuleType<Tally>, work: (value: Tally) => unknown): number {
  const key = ctx.write(type, ctx.args[1])
  const value: Tally = key.value ?? new Map()
  work(value)
  if (key.value === undefined) key.set(value)
  else key.changed()
  let sum = 0
  for (const count of value.values()) sum += count
  return sum
}
