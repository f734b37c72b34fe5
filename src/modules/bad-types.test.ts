// Types of values whose functions return or throw what they should not: commands have errors, the server goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { moduleOf, plain, settled } from '../../test/harness/module-server.ts'
import { defineType, type ModuleCommand, type TypeDefinition } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

interface Box {
  readonly n: number
}

const ODD: readonly unknown[] = [
  Number.NaN,
  -5,
  Number.POSITIVE_INFINITY,
  1e300,
  1.5,
  'x',
  null,
  undefined,
  {},
  Symbol('s'),
  10n,
  Promise.resolve(5),
  () => 1,
]
const PARTS = ['memory', 'freeEffort', 'free', 'copy', 'digest', 'save', 'load', 'rewrite'] as const

function fails(): never {
  throw new Error('fails')
}

async function serverWith(parts: Partial<TypeDefinition<Box>>) {
  const type = defineType<Box>({
    name: 'boxes-001',
    encodingVersion: 0,
    save: ({ n }, out) => out.unsigned(n),
    load: input => ({ n: input.unsigned() }),
    ...parts,
  })
  const commands: ModuleCommand[] = [
    {
      name: 'box.set',
      arity: 2,
      flags: 'write',
      keys: 'RW UPDATE @1',
      propagation: 'verbatim',
      run(ctx) {
        ctx.write(type, ctx.bytes(1)).set({ n: 7 })
        return 1
      },
    },
    {
      name: 'box.get',
      arity: 2,
      flags: 'readonly',
      keys: 'RO ACCESS @1',
      run: ctx => ctx.read(type, ctx.bytes(1))?.n ?? null,
    },
  ]
  const server = await MachineServer.start(
    virtualSystem({ seed: 1 }),
    {},
    { modules: [moduleOf({ types: [type], commands })] },
  )
  server.server.engine.log = () => {}
  server.call('set', 'mine', 'v')
  server.call('box.set', 'a')
  return server
}

const ASKED: readonly (readonly string[])[] = [
  ['memory', 'usage', 'a'],
  ['debug', 'digest'],
  ['copy', 'a', 'b'],
  ['copy', 'a', 'mine2', 'replace'],
  ['dump', 'a'],
  ['debug', 'object', 'a'],
  ['save'],
  ['bgrewriteaof'],
  ['rename', 'a', 'c'],
  ['unlink', 'c'],
  ['box.set', 'd'],
  ['set', 'd', 'v'],
  ['info', 'memory'],
]

for (const part of PARTS)
  test(`a type whose ${part} returns or throws anything at all`, async () => {
    for (const odd of [...ODD.map(value => () => value), fails]) {
      const server = await serverWith({ [part]: odd })
      server.call('set', 'mine2', 'v')
      for (const words of ASKED) {
        const said = String(plain(server.call(...words)))
        assert.doesNotMatch(said, /internal error/, words.join(' '))
        if (words[0] === 'info') assert.ok(Number(/used_memory:(\d+)\r/.exec(said)?.[1]) < 2 ** 50, said)
        await settled(server)
      }
      for (let ms = 0; ms < 200; ms++) server.machine.advance(1)
      assert.equal(server.call('get', 'mine'), 'v')
    }
  })

test('COPY of a value that cannot be saved, or whose bytes cannot be loaded, is an error and changes nothing', async () => {
  for (const [parts, why] of [
    [{ save: fails }, 'fails'],
    [{ load: fails }, 'fails'],
    [{ load: () => ({ n: 1 }) }, 'its load leaves parts unread'],
  ] as const) {
    const server = await serverWith(parts)
    for (const words of [['b'], ['mine', 'replace']])
      assert.equal(plain(server.call('copy', 'a', ...words)), `-ERR module key failed to copy: ${why}`)
    assert.equal(server.call('exists', 'b'), 0)
    assert.equal(server.call('get', 'mine'), 'v')
    assert.equal(server.call('box.get', 'a'), 7)
  }
})
