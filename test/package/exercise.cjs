// A server in process and over TCP, as a program of the installed package uses it. Prints 'works'.

const net = require('node:net')

exports.exercise = async function exercise(createServer) {
  const server = await createServer({ config: { databases: '4' } })
  const socket = server.connect()
  let text = ''
  socket.onData = bytes => (text += Buffer.from(bytes).toString())
  socket.write(Buffer.from('SET k v\r\nEVAL "return redis.call(\'get\',KEYS[1])" 1 k\r\n'))
  // The first script of a server may exceed a client's time in a turn: the rest of its input runs in the next.
  while (text.length < 12) await new Promise(resolve => setImmediate(resolve))
  if (text !== '+OK\r\n$1\r\nv\r\n') throw new Error(`in process: ${JSON.stringify(text)}`)
  const client = net.connect(await server.listen(), '127.0.0.1')
  client.write('GET k\r\n')
  const reply = await new Promise(resolve => client.once('data', resolve))
  if (String(reply) !== '$1\r\nv\r\n') throw new Error(`over TCP: ${reply}`)
  client.destroy()
  await server.close()
  console.log('works')
}
