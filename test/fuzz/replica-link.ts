// A connection that asks for a full synchronisation and reads the replication stream behind the snapshot.
//
//   REPLCONF … ─▶ PSYNC ? -1 ─▶ +FULLRESYNC … $EOF:<mark>\r\n <snapshot> <mark> ─▶ commands

import { connect, type Socket } from 'node:net'
import { sleep } from '../harness/target.ts'
import { CommandRows } from './command-rows.ts'
import type { Row } from './observer.ts'

const MARK_LENGTH = 40
const SYNC_WAIT_MS = 20_000

export class ReplicaLink {
  private readonly socket: Socket
  private buffer = Buffer.alloc(0)
  private readonly rows = new CommandRows()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', bytes => (this.buffer = Buffer.concat([this.buffer, bytes as Uint8Array])))
    socket.on('error', () => {})
  }

  /** Resolves when the snapshot has been received. */
  static async open(port: number): Promise<ReplicaLink> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const link = new ReplicaLink(socket)
    socket.write('REPLCONF capa eof capa psync2\r\n')
    await link.until(() => link.buffer.includes('+OK\r\n'))
    socket.write('PSYNC ? -1\r\n')
    await link.until(() => link.snapshotEnd() > 0)
    link.buffer = link.buffer.subarray(link.snapshotEnd())
    return link
  }

  /** The primary sends commands once it knows that the snapshot has arrived. */
  acknowledge(): void {
    this.socket.write('REPLCONF ACK 0\r\n')
  }

  /** The commands since the last call. */
  taken(): Row[] {
    const bytes = this.buffer
    this.buffer = Buffer.alloc(0)
    return this.rows.taken(bytes)
  }

  /** The offset behind the snapshot's mark, or 0 while it is not there. */
  private snapshotEnd(): number {
    const start = this.buffer.indexOf('$EOF:')
    if (start < 0 || this.buffer.length < start + 5 + MARK_LENGTH) return 0
    const mark = this.buffer.subarray(start + 5, start + 5 + MARK_LENGTH)
    const end = this.buffer.indexOf(mark, start + 5 + MARK_LENGTH)
    return end < 0 ? 0 : end + MARK_LENGTH
  }

  private async until(arrived: () => boolean): Promise<void> {
    const startedMs = Date.now()
    while (!arrived()) {
      if (Date.now() - startedMs > SYNC_WAIT_MS) throw new Error('the replica link gets no snapshot')
      await sleep(5)
    }
  }
}
