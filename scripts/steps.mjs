// What scripts that check something share: their steps, the closing line, and asking a server.

import { connect, createServer } from 'node:net'
import process from 'node:process'

let passed = 0
let failed = 0

export function step(name, ok, why = '') {
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok' : 'not ok'}: ${name}${ok ? '' : `\n${why}`}`)
}

/** The last line; the exit code is 1 when a step has failed. */
export function close() {
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

export const freePort = () =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** What a server on `port` answers to one inline command; '' when nobody answers. */
export const ask = (port, command) =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.on('data', bytes => {
      resolve(String(bytes))
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(''))
  })

/** Asks until the server has loaded its data, for ten seconds at most; what it answers in the end. */
export async function pings(port) {
  let answer = ''
  for (let i = 0; i < 200 && answer !== '+PONG\r\n'; i++) {
    answer = await ask(port, 'PING')
    if (answer !== '+PONG\r\n') await new Promise(resolve => setTimeout(resolve, 50))
  }
  return answer
}
