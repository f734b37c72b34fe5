// docs/commands.md: one line per command, by group, with its syntax, generated from the command literals by
// `npm run docs`; a test keeps it up to date.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allCommands } from '../../src/commands/index.ts'
import type { Command } from '../../src/engine/catalog/command.ts'
import { type Argument, parseArguments } from '../../src/engine/catalog/syntax-line.ts'
import { projectRoot } from '../tidy/source.ts'

export const PAGE_PATH = join(projectRoot, 'docs/commands.md')

/** Longer arguments are not repeated in the syntax of variadic commands. */
const REPEATED_MAX = 40

const HEAD = `# Commands

Every command of Redstart. \`npm run docs\` makes this page from the commands themselves, as \`COMMAND DOCS\` does; *since*
is the version of Redis that had a command first. Commands of a cluster, and those about modules and other users, are
answered as by a server that has none.
`

export function commandsPage(): string {
  const groups = new Map<string, string[]>()
  for (const command of allCommands) {
    const lines = groups.get(command.group) ?? []
    groups.set(command.group, lines)
    if (command.subcommands === undefined) lines.push(row(command, ''))
    else for (const sub of command.subcommands) lines.push(row(sub, `${command.name} `))
  }
  const sections = [...groups].sort(byName).map(([group, lines]) => section(group, lines))
  return `${HEAD}${sections.join('')}`
}

function section(group: string, lines: readonly string[]): string {
  return `\n## ${group}\n\n| command | what it does | takes | since |\n|---|---|---|---|\n${[...lines].sort().join('\n')}\n`
}

/** One row; for a deprecated command with its replacement. */
function row(command: Command, parent: string): string {
  const syntax = `${parent}${command.name}`.toUpperCase()
  const args = command.args === undefined ? '' : ` ${parseArguments(command.args).map(written).join(' ')}`
  const time = /O\(.*?\)+(?: ?\+ ?O\(.*?\)+)?/.exec(command.complexity ?? '')?.[0] ?? ''
  const note = command.deprecated === undefined ? '' : ` *Old: ${command.deprecated.replacedBy.replaceAll('!', '')}.*`
  const cells = [`\`${syntax}${args}\``, `${command.summary}${note}`, time, command.since]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** An argument in a syntax line: [NX | XX], key [key ...]. */
function written(arg: Argument): string {
  const token = arg.token ?? ''
  let text = core(arg)
  if (token !== '' && arg.type !== 'pure-token') text = `${token} ${text}`
  if (arg.multiple && text.length > REPEATED_MAX) text += ' [...]'
  else if (arg.multiple) text += ` [${arg.multipleToken ? text : core(arg)} ...]`
  return arg.optional ? `[${text}]` : text
}

function core(arg: Argument): string {
  if (arg.type === 'pure-token') return arg.token || '""'
  if (arg.args.length === 0) return arg.displayText
  if (arg.type === 'oneof') {
    const choice = arg.args.map(written).join(' | ')
    return arg.optional ? choice : `<${choice}>`
  }
  return arg.args.map(written).join(' ')
}

function byName([a]: [string, string[]], [b]: [string, string[]]): number {
  return a < b ? -1 : 1
}

if (import.meta.main) {
  mkdirSync(join(projectRoot, 'docs'), { recursive: true })
  writeFileSync(PAGE_PATH, commandsPage())
}
