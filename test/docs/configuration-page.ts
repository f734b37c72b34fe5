// docs/configuration.md: every directive and what it does here, generated from src/config by `npm run docs`; a test
// keeps it up to date.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  encodingDirectives,
  memoryDirectives,
  observationDirectives,
  securityDirectives,
} from '../../src/config/directives-data.ts'
import { generalDirectives, logDirectives } from '../../src/config/directives-general.ts'
import { networkDirectives, tlsDirectives } from '../../src/config/directives-network.ts'
import { persistenceDirectives } from '../../src/config/directives-persistence.ts'
import { clusterDirectives, replicationDirectives } from '../../src/config/directives-replication.ts'
import type { AnyDirective } from '../../src/config/kinds.ts'
import { LIMITS, OF_THE_PROCESS, REFUSED, RETIRED, WITHOUT_MEANING } from '../../src/config/support.ts'
import { projectRoot } from '../tidy/source.ts'

export const CONFIGURATION_PAGE = join(projectRoot, 'docs/configuration.md')

const GROUPS: readonly [title: string, directives: { readonly [name: string]: AnyDirective }][] = [
  ['Network', networkDirectives],
  ['TLS', tlsDirectives],
  ['Process', generalDirectives],
  ['Log', logDirectives],
  ['Persistence', persistenceDirectives],
  ['Replication', replicationDirectives],
  ['Cluster', clusterDirectives],
  ['Memory', memoryDirectives],
  ['Encodings', encodingDirectives],
  ['Security', securityDirectives],
  ['Observation', observationDirectives],
]

const HEAD = `# Configuration

Redstart reads the configuration files of Redis 7.2: all of its directives are known, with its defaults, limits and
error texts. \`redstart.conf\` explains those that work. \`npm run docs\` makes this page from the code.

Nothing is taken and then ignored in silence. A directive

- **works**; or
- is **refused**: any value but its default ends the start, and is an error of CONFIG SET, that says why; or
- has **no meaning** here: its value is kept for CONFIG GET and CONFIG REWRITE, and nothing depends on it.

In a program that embeds a server (\`createServer\`), directives about the process are refused as well, since it is the
program's: ${[...OF_THE_PROCESS].map(name => `\`${name}\``).join(', ')}.

*Run time* tells whether CONFIG SET may change it; *protected* ones need \`enable-protected-configs\`.
`

const STATEMENTS = `
## Lines that are no directives

| line | here |
|---|---|
| \`include\` | works |
| \`rename-command\` | works |
| \`user\` | works |
| \`loadmodule\` | modules in TypeScript or JavaScript (docs/modules.md); native ones are refused |
| settings of modules | \`module.name value\`, for parameters that a module has |
| \`sentinel\` | settings and state of a sentinel, in Sentinel mode only |
| ${RETIRED.map(name => `\`${name}\``).join(', ')} | no meaning: Redis 7.2 ignores these old directives too |
`

const SERVICE = `
## As a service

A unit for systemd with a sandbox is in \`deploy/systemd\`; [operations](operations.md) says how to install it. \`systemd-notify\` tells
systemd that clients are served; unless Redstart runs as root, that needs \`NotifyAccess=all\`. Without that program the start
fails at once; then use \`Type=exec\` and \`supervised no\`.
`

export function configurationPage(): string {
  return `${HEAD}${GROUPS.map(section).join('')}${STATEMENTS}${SERVICE}`
}

function section([title, directives]: (typeof GROUPS)[number]): string {
  const rows = Object.entries(directives).map(([name, kind]) => row(name, kind))
  return `\n## ${title}\n\n| directive | default | run time | here |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

function row(name: string, kind: AnyDirective): string {
  const also = kind.alias === undefined ? '' : `, \`${kind.alias}\``
  const initial = kind.print(kind.initial)
  const change = kind.immutable ? 'no' : kind.protected ? 'protected' : 'yes'
  return `| \`${name}\`${also} | ${initial === '' ? '' : `\`${initial}\``} | ${change} | ${stateOf(name)} |`
}

function stateOf(name: string): string {
  const refused = REFUSED.get(name)
  if (refused !== undefined) return `refused: ${refused}`
  const reason = WITHOUT_MEANING.get(name)
  if (reason !== undefined) return `no meaning: ${reason}`
  const limit = LIMITS.get(name)
  return limit === undefined ? 'works' : `works, ${limit}`
}

if (import.meta.main) writeFileSync(CONFIGURATION_PAGE, configurationPage())
