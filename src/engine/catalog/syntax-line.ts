// Argument specs: reads the `args` string of a Command, its syntax line with names and types, into the argument tree
// that COMMAND DOCS prints. Runs only for COMMAND DOCS, never for a command that executes.
//
//   line     := element (' ' element)*                  one after the other
//   element  := '[' argument ']' | argument             [...] is optional
//   argument := TOKEN marks                             a bare token, named after itself:   KEEPTTL@6.0.0
//             | name '=' TOKEN marks                    a bare token of another name:       sorting=ALPHA
//             | (TOKEN '...'? ' ')? name shown? kind? key? marks          [GET... get-pattern=pattern:pattern#1...]
//   shown    := '=' text                                what display_text says when it is not the name
//   kind     := ':' type                                integer, double, key, pattern, unix-time, pure-token
//             | ':(' line ')'                           a block:   limit:(offset:integer count:integer)
//             | ':(' element ('|' element)+ ')'         one of:    condition:(NX|XX)
//   key      := '#' index                               which key spec names it; makes it a key if no type is given
//   marks    := ('@' since)? ('!' deprecated since)? '...'?     '...' may be given many times
//
// A token is upper case, or quoted when it is a sign ("~"); TOKEN followed by '...' is repeated with its argument.
// Always: a string that was written by hand wrongly throws at the first reading; the tests read them all.

export interface Argument {
  name: string
  type: string
  displayText: string
  /** Index among the command's key specs, or -1. */
  keySpecIndex: number
  token: string | undefined
  since: string | undefined
  deprecatedSince: string | undefined
  optional: boolean
  multiple: boolean
  multipleToken: boolean
  /** Members of a block or oneof; empty for the other types. */
  args: Argument[]
}

export function parseArguments(line: string): Argument[] {
  const parser = new ArgumentParser(line)
  const args = parser.line()
  parser.expectEnd()
  return args
}

const TOKEN = /[A-Z][A-Z0-9-]*(?![a-z])|"[^"]*"/y
const NAME = /[a-z][a-z0-9-]*/y
const SHOWN = /=([a-z0-9-]+|"[^"]*[a-z][^"]*")/y
const TYPE = /:(integer|double|key|pattern|unix-time|pure-token)/y
const KEY = /#(\d+)/y
const SINCE = /@(\d+(?:\.\d+)*)/y
const DEPRECATED = /!(\d+(?:\.\d+)*)/y
const DOTS = /\.\.\./y
const SPACE = / /y

class ArgumentParser {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  line(): Argument[] {
    const args = [this.element()]
    while (this.eat(SPACE) !== undefined) args.push(this.element())
    return args
  }

  expectEnd(): void {
    if (this.at !== this.text.length) this.fail('end')
  }

  private element(): Argument {
    if (!this.eatChar('[')) return this.argument()
    const arg = this.argument()
    arg.optional = true
    if (!this.eatChar(']')) this.fail(']')
    return arg
  }

  private argument(): Argument {
    const token = this.eat(TOKEN)
    if (token === undefined) return this.named(undefined, false)
    const repeated = this.eat(DOTS) !== undefined
    // "EX seconds" belongs together; "NX]", "NX|" and "NX [" end the bare token.
    if (/^ [a-z]/.test(this.text.slice(this.at, this.at + 2))) {
      this.at++
      return this.named(unquote(token), repeated)
    }
    const arg = blank(token.toLowerCase(), 'pure-token')
    arg.token = unquote(token)
    this.marks(arg)
    return arg
  }

  private named(token: string | undefined, multipleToken: boolean): Argument {
    const arg = blank(this.eat(NAME) ?? this.fail('name'), 'string')
    arg.token = token
    arg.multipleToken = multipleToken
    const shown = this.eat(SHOWN, 1)
    if (shown !== undefined) arg.displayText = unquote(shown)
    else if (this.eatChar('=')) {
      arg.token = unquote(this.eat(TOKEN) ?? this.fail('token'))
      arg.type = 'pure-token'
    }
    const type = this.eat(TYPE, 1)
    if (type !== undefined) arg.type = type
    else if (this.text.startsWith(':(', this.at)) this.group(arg)
    const keySpecIndex = this.eat(KEY, 1)
    if (keySpecIndex !== undefined) {
      arg.keySpecIndex = Number(keySpecIndex)
      if (type === undefined) arg.type = 'key'
    }
    this.marks(arg)
    return arg
  }

  private group(arg: Argument): void {
    this.at += 2
    arg.args = this.line()
    arg.type = 'block'
    while (this.eatChar('|')) {
      arg.type = 'oneof'
      arg.args.push(this.element())
    }
    if (!this.eatChar(')')) this.fail(')')
  }

  private marks(arg: Argument): void {
    arg.since = this.eat(SINCE, 1)
    arg.deprecatedSince = this.eat(DEPRECATED, 1)
    arg.multiple = this.eat(DOTS) !== undefined
  }

  private eat(pattern: RegExp, group = 0): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at += match[0].length
    return match[group]
  }

  private eatChar(char: string): boolean {
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private fail(expected: string): never {
    throw new Error(`arguments '${this.text}': ${expected} expected at ${this.at}`)
  }
}

function blank(name: string, type: string): Argument {
  return {
    name,
    type,
    displayText: name,
    keySpecIndex: -1,
    token: undefined,
    since: undefined,
    deprecatedSince: undefined,
    optional: false,
    multiple: false,
    multipleToken: false,
    args: [],
  }
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1) : text
}
