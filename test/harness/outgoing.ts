// Adapts anything that accepts bytes and can be closed to an Outgoing.

import type { Outgoing } from '../../src/system/network.ts'

export function outgoingOver(socket: { write(bytes: Uint8Array): void; close(): void }): Outgoing {
  const close = () => socket.close()
  return {
    peer: '',
    local: '',
    onData() {},
    onEnd() {},
    onClose() {},
    onDrain() {},
    write(bytes) {
      socket.write(bytes)
      return true
    },
    end: close,
    close,
    reset: close,
    pause() {},
    resume() {},
  }
}
