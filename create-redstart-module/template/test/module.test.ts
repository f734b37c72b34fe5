import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from 'redstart'
import myModule from '../src/index.ts'

test('a counter moves by the step', async t => {
  const server = await createServer({ modules: [myModule] })
  t.after(() => server.close())
  const client = server.client()
  assert.equal(await client.call('my-module.next', 'k'), 1)
  await client.call('CONFIG SET', 'my-module.step', 5)
  assert.equal(await client.call('my-module.next', 'k'), 6)
  client.close()
})

test('a word too many is an error', async t => {
  const server = await createServer({ modules: [myModule] })
  t.after(() => server.close())
  const client = server.client()
  await assert.rejects(client.call('my-module.next', 'k', 'l'), /wrong number of arguments/)
  client.close()
})
