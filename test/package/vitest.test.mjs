import { createServer } from 'redstart'
import { expect, test } from 'vitest'

test('import', async () => {
  const server = await createServer()
  expect(await server.listen()).toBeGreaterThan(0)
  await server.close()
})
