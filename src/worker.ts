// The entry of a server's thread: createServer({ worker: true }).

import { serveThread } from './embed/worker-host.ts'
import { createServer } from './index.ts'
import { startedBy } from './system/thread.ts'

serveThread(startedBy(), createServer)
