// The tools by name, the first argument. A tool's module is loaded only when it runs, so that a server starts faster.

import type { Tool } from './command-line.ts'

const TOOLS: ReadonlyMap<string, () => Promise<Tool>> = new Map(
  Object.entries<() => Promise<Tool>>({
    check: async () => (await import('./check/check.ts')).check,
    backup: async () => (await import('./backup.ts')).backupTool,
    cluster: async () => (await import('./cluster/cluster.ts')).clusterTool,
    migrate: async () => (await import('./migrate.ts')).migrateTool,
    restore: async () => (await import('./restore.ts')).restoreTool,
  }),
)

/** The tool of that name; undefined for any other word (a configuration file). */
export async function toolNamed(name: string | undefined): Promise<Tool | undefined> {
  return TOOLS.get(name ?? '')?.()
}
