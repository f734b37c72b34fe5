// The frame of every tool: argument parsing, access to the machine, exit codes.
//
//   redstart check FILE --fix ─▶ main ─▶ runTool ─▶ Words ─▶ Tool.run ─▶ exit code
//
// Always: results go to standard output; progress, questions and complaints go to standard error.

import { ClientError } from '../client/errors.ts'
import type { System } from '../system/system.ts'

/** Success. */
export const EXIT_GOOD = 0
/** The work is done, and there are faults or differences. */
export const EXIT_FAULTS = 1
/** Failure: invalid arguments, or an unusable file or server. */
export const EXIT_FAILED = 2
/** Ended by SIGINT, SIGTERM or the operator's no. */
export const EXIT_INTERRUPTED = 3

const EXIT_CODES = `Exit codes:
  0  all is well
  1  the work was done and showed faults or differences
  2  the work could not be done: wrong arguments, or a file or server that cannot be used
  3  given up: interrupted, or the question was answered with no
`

/** The machine as tools use it. */
export type Machine = System

/** An option of a tool: `--name`, or `--name VALUE`. */
export interface Flag {
  /** With its dashes. */
  readonly name: string
  /** The name of its value; absent: it has none. */
  readonly value?: string
  /** Repeatable. */
  readonly many?: boolean
  readonly about: string
}

export interface Tool {
  readonly name: string
  /** One line for the list of tools. */
  readonly summary: string
  /** The non-option arguments: 'FILE', 'URL FILE'. */
  readonly operands: string
  /** Paragraphs after the options in --help. */
  readonly about: string
  readonly flags: readonly Flag[]
  /** Runs the tool; returns the exit code. May throw ToolError, ClientError and DiskError. */
  run(words: Words, machine: Machine): Promise<number>
}

/** A failure of the tool. `message` is for the operator. */
export class ToolError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode: number = EXIT_FAILED) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The arguments of a tool, split into options and operands. */
export class Words {
  readonly operands: readonly string[]
  private readonly values: ReadonlyMap<string, readonly string[]>

  private constructor(operands: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.operands = operands
    this.values = values
  }

  /** Accepts '--name value', '--name=value' and '--' before operands that start with dashes. Throws ToolError. */
  static parse(args: readonly string[], tool: Pick<Tool, 'flags' | 'operands'>): Words {
    const operands: string[] = []
    const values = new Map<string, string[]>()
    for (let i = 0; i < args.length; i++) {
      const word = args[i]
      if (word === '--') {
        operands.push(...args.slice(i + 1))
        break
      }
      if (!word.startsWith('--')) {
        operands.push(word)
        continue
      }
      const equals = word.indexOf('=')
      const name = equals < 0 ? word : word.slice(0, equals)
      const flag = tool.flags.find(one => one.name === name)
      if (flag === undefined) throw new ToolError(`There is no option ${name}.`)
      let value = equals < 0 ? '' : word.slice(equals + 1)
      if (flag.value === undefined && equals >= 0) throw new ToolError(`${name} takes no value.`)
      if (flag.value !== undefined && equals < 0) {
        if (i + 1 === args.length) throw new ToolError(`${name} wants a value: ${flag.value}.`)
        value = args[++i]
      }
      const before = values.get(name)
      if (before !== undefined && !flag.many) throw new ToolError(`${name} may be given only once.`)
      values.set(name, before === undefined ? [value] : [...before, value])
    }
    const wanted = tool.operands === '' ? 0 : tool.operands.split(' ').length
    if (operands.length !== wanted)
      throw new ToolError(wanted === 0 ? 'No operands are taken.' : `What is wanted: ${tool.operands}.`)
    return new Words(operands, values)
  }

  has(name: string): boolean {
    return this.values.has(name)
  }

  text(name: string): string | undefined {
    return this.values.get(name)?.[0]
  }

  /** All values of a repeatable option. */
  all(name: string): readonly string[] {
    return this.values.get(name) ?? []
  }

  /** A whole number; undefined without the option. Throws ToolError. */
  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const n = /^-?[0-9]+$/.test(text) ? Number(text) : Number.NaN
    if (!(n >= min && n <= max)) throw new ToolError(`${name} wants a whole number from ${min} to ${max}.`)
    return n
  }
}

/** The text of --help. */
function helpOf(tool: Tool): string {
  const flags = [...tool.flags, { name: '--help', about: 'print this and end' } as Flag]
  const shown = flags.map(flag => (flag.value === undefined ? flag.name : `${flag.name} ${flag.value}`))
  const width = Math.max(...shown.map(text => text.length))
  const lines = flags.map((flag, i) => `  ${shown[i].padEnd(width)}  ${flag.about}`)
  return `Usage: redstart ${tool.name} ${tool.operands} [options]

${tool.summary}

Options:
${lines.join('\n')}

${tool.about.trim()}

${EXIT_CODES}`
}

/** Runs a tool with its arguments; returns the exit code. */
export async function runTool(tool: Tool, args: readonly string[], machine: Machine): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    print(machine, helpOf(tool))
    return EXIT_GOOD
  }
  try {
    return await tool.run(Words.parse(args, tool), machine)
  } catch (error) {
    if (error instanceof ToolError) {
      complain(machine, `redstart ${tool.name}: ${error.message}\n`)
      return error.exitCode
    }
    if (error instanceof ClientError) {
      complain(machine, `redstart ${tool.name}: ${error.message}\n`)
      return EXIT_FAILED
    }
    const { code, path, message } = error as { code?: unknown; path?: string; message: string }
    if (typeof code !== 'string') throw error
    complain(machine, `redstart ${tool.name}: ${path ? `${path}: ` : ''}${message}\n`)
    return EXIT_FAILED
  }
}

export function print(machine: Machine, text: string): void {
  machine.process.stdout(new TextEncoder().encode(text))
}

export function complain(machine: Machine, text: string): void {
  machine.process.stderr(new TextEncoder().encode(text))
}

/** Asks for a yes on the terminal; any other answer, or no terminal, is a no. */
export function confirmed(machine: Machine, question: string): boolean {
  complain(machine, `${question} [y/N] `)
  return /^y(es)?$/i.test(machine.process.readLine()?.trim() ?? '')
}
