// The tools, by the word that stands first on the command line. Each is loaded only when it is asked for: a server
// does not wait for them.

import type { Tool } from './command-line.ts'

const TOOLS: ReadonlyMap<string, () => Promise<Tool>> = new Map(
  Object.entries<() => Promise<Tool>>({
    check: async () => (await import('./check/check.ts')).check,
    backup: async () => (await import('./backup.ts')).backupTool,
    migrate: async () => (await import('./migrate.ts')).migrateTool,
    restore: async () => (await import('./restore.ts')).restoreTool,
  }),
)

/** The tool of that name; undefined when the word is something else (a configuration file). */
export async function toolNamed(name: string | undefined): Promise<Tool | undefined> {
  return TOOLS.get(name ?? '')?.()
}
