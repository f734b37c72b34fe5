// A client that sends one pipeline again and again without a pause, in a thread of its own, and drops the replies.

import { connect } from 'node:net'
import { workerData } from 'node:worker_threads'

const bytes = Buffer.from(workerData.bytes, 'latin1')
const socket = connect({ port: workerData.port, host: '127.0.0.1' }, flood)
socket.on('drain', flood)
socket.on('data', () => {})

function flood() {
  while (socket.write(bytes));
}
