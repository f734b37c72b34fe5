const { createServer } = require('redstart')

test('require', async () => {
  const server = await createServer()
  expect(await server.listen()).toBeGreaterThan(0)
  await server.close()
})
