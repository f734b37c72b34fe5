// A module's commands in the application: the types that its definition gives, and the clients that know them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import throttle from '../../examples/throttle.ts'
import { createServer } from '../index.ts'
import { ioredisOptions } from '../ioredis.ts'
import { addCommands, type Commands, defineModule, nodeRedisModules, type PlainWord, reply } from '../module.ts'
import { nodeRedisOptions } from '../node-redis.ts'

const shapes = defineModule({
  name: 'shapes',
  version: 1,
  apiVersion: 1,
  commands: [
    { name: 'shapes.none', arity: 1, flags: 'readonly', run: () => null },
    {
      name: 'shapes.pair',
      arity: -3,
      flags: 'readonly',
      keys: 'RO ACCESS @1',
      args: 'key#0 count:integer [more:double]',
      run: (ctx): [number, string] => [ctx.argc, ctx.text(1)],
    },
    {
      name: 'shapes.many',
      arity: -2,
      flags: 'readonly',
      args: 'FROM member...',
      run: async (ctx): Promise<readonly string[]> => ctx.args.slice(2).map(one => Buffer.from(one).toString()),
    },
    {
      name: 'shapes.text',
      arity: -1,
      flags: 'readonly',
      args: 'value [condition:(NX|XX)] rest',
      run: () => reply.simple('OK'),
    },
    { name: 'plain', arity: -1, flags: 'readonly', run: ctx => ctx.call('PING') },
  ],
})

type Known = Commands<typeof shapes>
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const known: {
  none: Same<Known['shapes.none'], { args: []; reply: null }>
  pairArgs: Same<
    Known['shapes.pair']['args'],
    [string | Uint8Array<ArrayBufferLike>, number | bigint, (number | undefined)?]
  >
  pairReply: Same<Known['shapes.pair']['reply'], [number, string]>
  manyReply: Same<Known['shapes.many']['reply'], string[]>
  textReply: Same<Known['shapes.text']['reply'], string | number>
  anyReply: Same<Known['plain'], { args: PlainWord[]; reply: unknown }>
} = { none: true, pairArgs: true, pairReply: true, manyReply: true, textReply: true, anyReply: true }

test('the definition gives the types of arguments and replies', () => {
  assert.deepEqual(Object.values(known), [true, true, true, true, true, true])
  // @ts-expect-error: a key is not a number
  const wrong: Known['shapes.pair']['args'] = [1, 2]
  assert.equal(wrong.length, 2)
})

test('ioredis sends the commands of a module, alone and in a pipeline', async () => {
  await using server = await createServer({ modules: [shapes, throttle] })
  const redis = addCommands(addCommands(new Redis(ioredisOptions(server)), shapes), throttle)
  const [argc, key] = await redis['shapes.pair']('k', 3)
  assert.deepEqual([argc, key], [3, 'k'])
  assert.deepEqual(await redis['shapes.many']('FROM', 'a', 'b'), ['a', 'b'])
  assert.equal(await redis.plain(), 'PONG')
  const [limited, limit]: number[] = await redis['cl.throttle']('user:1', 1, 1, 60)
  assert.deepEqual([limited, limit], [0, 2])
  const replies = await redis.pipeline([['cl.throttle', 'user:2', 1, 1, 60]]).exec()
  assert.deepEqual(replies?.[0][1], [0, 2, 1, -1, 60])
  redis.disconnect()
})

test('node-redis has them as modules, named by the two halves', async () => {
  await using server = await createServer({ modules: [shapes] })
  const client = createClient({ ...nodeRedisOptions(server), modules: nodeRedisModules(shapes) })
  await client.connect()
  const [argc, key] = await client.shapes.pair('k', 3, 0.5)
  assert.deepEqual([argc, key], [4, 'k'])
  assert.equal(await client.shapes.none(), null)
  assert.equal(await client.shapes.plain(), 'PONG')
  assert.deepEqual(nodeRedisModules(shapes).shapes.pair.transformArguments('k', 3), ['shapes.pair', 'k', '3'])
  assert.equal(nodeRedisModules(shapes).shapes.pair.FIRST_KEY_INDEX, 1)
  client.destroy()
})
