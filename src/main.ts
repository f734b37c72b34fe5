// The command line: `redstart` takes what redis-server takes.

import process from 'node:process'
import { launch } from './server/launch.ts'
import { startServer } from './server/server.ts'
import { realSystem } from './server/system/real.ts'

await launch(process.argv.slice(2), realSystem({ ownProcess: true }), startServer)
