// The tools, by the word that stands first on the command line. Each is loaded only when it is asked for: a server
// does not wait for them.

import type { Tool } from './command-line.ts'

const TOOLS: { readonly [name: string]: () => Promise<Tool> } = {}

/** The tool of that name; undefined when the word is something else (a configuration file). */
export async function toolNamed(name: string | undefined): Promise<Tool | undefined> {
  return name !== undefined && Object.hasOwn(TOOLS, name) ? TOOLS[name]() : undefined
}
