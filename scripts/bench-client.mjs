// The smallest client that a measurement needs.

import { connect } from 'node:net'

export function encode(words) {
  return `*${words.length}\r\n${words.map(word => `$${word.toString().length}\r\n${word}\r\n`).join('')}`
}

export function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

const MARK = 'all-of-these-are-done'

/** Sends commands on a connection, and waits for the reply of an ECHO behind them; the other replies are dropped. */
export async function sendOn(socket, commands) {
  socket.write(commands.map(encode).join('') + encode(['ECHO', MARK]))
  const bytesMax = MARK.length + 2
  for (let end = ''; !end.startsWith(MARK); ) {
    const bytes = await new Promise(resolve => socket.once('data', resolve))
    end = (end + bytes.toString('latin1', Math.max(0, bytes.length - bytesMax))).slice(-bytesMax)
  }
}

/** The same on a connection of its own. */
export async function send(port, commands) {
  const socket = await open(port)
  await sendOn(socket, commands)
  socket.destroy()
}

/** The times of PINGs, one after another with a millisecond between, for `ms` milliseconds; ascending. */
export async function pings(port, ms) {
  const socket = await open(port)
  const waits = []
  for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(1)) {
    const sentMs = performance.now()
    socket.write('PING\r\n')
    await new Promise(resolve => socket.once('data', resolve))
    waits.push(performance.now() - sentMs)
  }
  socket.destroy()
  return waits.sort((a, b) => a - b)
}

export function sleep(ms) {
  return new Promise(resolve => setTimeout(resolve, ms))
}
