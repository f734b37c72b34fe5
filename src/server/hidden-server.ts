// A hidden server: in the same process, in memory, without data, files, sockets and log.
//
// Always: the clock, the randomness and the memory are the process's; everything else is that of `around`, a virtual
// machine.

import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import type { System } from '../system/system.ts'
import { Logger } from './log.ts'
import { Server } from './server.ts'

/** Starts one. `directives`: further lines of its configuration. */
export async function hiddenServer(system: System, around: System, ...directives: string[]): Promise<Server> {
  const { clock, random, process } = system
  const config = new Config(around.disk)
  loadText(config, ['port 0', 'save ""', 'loglevel nothing', ...directives].join('\n'))
  const surroundings: System = {
    ...around,
    clock,
    random,
    process: { ...around.process, allocate: bytes => process.allocate(bytes) },
  }
  const server = new Server(config, surroundings, new Logger(surroundings, config), { failed: () => {} })
  await server.load()
  return server
}
