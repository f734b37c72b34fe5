import { expect, setSystemTime, test } from 'bun:test'
import { createServer } from 'redstart'

test('the time that Bun sets is the time of the server', async () => {
  const server = await createServer()
  const socket = server.connect()
  let heard = ''
  socket.onData = bytes => {
    heard = new TextDecoder().decode(bytes)
  }
  socket.write('SET k v EX 60\r\n')
  setSystemTime(new Date(Date.now() + 61_000))
  socket.write('EXISTS k\r\n')
  expect(heard).toBe(':0\r\n')
  setSystemTime()
  await server.close()
})
