import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from 'redstart'

test('import', async () => {
  const server = await createServer()
  assert.ok((await server.listen()) > 0)
  await server.close()
})
