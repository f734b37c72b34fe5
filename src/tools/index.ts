// The tools, by the word that stands first on the command line. Each is loaded only when it is asked for: a server
// does not wait for them.

import { runtimeNetwork } from '../net/runtime.ts'
import { type Dial, dialing } from '../system/network.ts'
import type { Tool } from './command-line.ts'

const TOOLS: { readonly [name: string]: () => Promise<Tool> } = {
  check: async () => (await import('./check/check.ts')).check,
  backup: async () => (await import('./backup.ts')).backupTool(network()),
  migrate: async () => (await import('./migrate.ts')).migrateTool(network()),
  restore: async () => (await import('./restore.ts')).restoreTool(network()),
}

function network(): Dial {
  return dialing(runtimeNetwork())
}

/** The tool of that name; undefined when the word is something else (a configuration file). */
export async function toolNamed(name: string | undefined): Promise<Tool | undefined> {
  return name !== undefined && Object.hasOwn(TOOLS, name) ? TOOLS[name]() : undefined
}
