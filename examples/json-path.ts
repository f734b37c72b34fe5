// Paths that select values of JSON documents: RFC 9535's with `$`, and the older ones without.
//
//   $.store..book[?(@.price < 10)].title     steps: name, [names], [indexes], [from:to:by], *, .. before any, ?(filter)
//   .store.book[0]  or  store.book[0]        an older path: its first match counts
//
// Always: a path selects in the order of the document, in time that grows with what it looks at: there is no `=~`.

import { equal, type Json } from './json-document.ts'
import { parsedAt } from './json-text.ts'

/** A selected value and where it is. */
export interface Node {
  readonly value: Json
  /** The array or object that it is in; undefined: it is the root. */
  readonly up: Node | undefined
  readonly key: number | string
  /** Containers around it. */
  readonly depth: number
}

export interface Path {
  readonly text: string
  /** Without `$`: one value is meant. */
  readonly isLegacy: boolean
  readonly steps: readonly Step[]
}

type Step = { readonly isDeep: boolean } & (
  | { readonly kind: 'any' }
  | { readonly kind: 'keys'; readonly keys: readonly (string | number)[] }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | { readonly kind: 'filter'; readonly test: Test }
)

type Test = (value: Json, root: Json) => boolean
type Operand = (value: Json, root: Json) => Json | undefined

const NAME = /[^.[\]'"()\s,?@=<>!&|*~{}\p{Cc}]+/uy
const NUMBER = /-?\d+/y
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y
const OPERATOR = /==|!=|<=|>=|<|>/y

/** Throws an Error for what is no path. */
export function pathOf(text: string): Path {
  // `$name` is an older path: the field of that name.
  const isLegacy = text[0] !== '$' || (text.length > 1 && text[1] !== '.' && text[1] !== '[')
  const whole = isLegacy ? `$${text === '.' ? '' : text.startsWith('.') || text.startsWith('[') ? text : `.${text}`}` : text
  const reader = new PathReader(whole)
  reader.take('$')
  const steps = reader.steps()
  if (!reader.isAtEnd) reader.fail()
  return { text: whole, isLegacy, steps }
}

class PathReader {
  at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.at === this.text.length
  }

  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  fail(): never {
    throw new Error(`ERR Error occurred on position ${this.at + 1}, expected one of the following: a name, *, [ or ..`)
  }

  steps(): Step[] {
    const steps: Step[] = []
    for (;;) {
      if (this.take('..')) steps.push(this.take('[') ? this.bracket(true) : this.name(true))
      else if (this.take('.[') || this.take('[')) steps.push(this.bracket(false))
      else if (this.take('.')) steps.push(this.name(false))
      else return steps
    }
  }

  private match(expression: RegExp): string | undefined {
    expression.lastIndex = this.at
    const found = expression.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  private blanks(): this {
    while (this.take(' '));
    return this
  }

  private name(isDeep: boolean): Step {
    if (this.take('*')) return { kind: 'any', isDeep }
    return { kind: 'keys', keys: [this.match(NAME) ?? this.fail()], isDeep }
  }

  private bracket(isDeep: boolean): Step {
    this.blanks()
    let step: Step
    if (this.take('*')) step = { kind: 'any', isDeep }
    else if (this.take('?')) {
      this.blanks()
      step = { kind: 'filter', test: this.either(), isDeep }
    } else step = this.keysOrSlice(isDeep)
    if (!this.blanks().take(']')) this.fail()
    return step
  }

  private keysOrSlice(isDeep: boolean): Step {
    const first = this.key()
    if (typeof first !== 'string' && this.blanks().take(':')) {
      const to = this.blanks().key() as number | undefined
      const by = this.blanks().take(':') ? (this.blanks().key() as number | undefined) : 1
      return { kind: 'slice', from: first, to, by: Math.max(1, by ?? 1), isDeep }
    }
    const keys = [first ?? this.fail()]
    while (this.blanks().take(',')) keys.push(this.blanks().key() ?? this.fail())
    return { kind: 'keys', keys, isDeep }
  }

  private key(): string | number | undefined {
    const quoted = this.match(QUOTED)
    if (quoted !== undefined) return unquoted(quoted)
    const number = this.match(NUMBER)
    return number === undefined ? undefined : Number(number)
  }

  // ---- filters ----

  private either(): Test {
    let test = this.both()
    while (this.blanks().take('||')) test = or(test, this.both())
    return test
  }

  private both(): Test {
    let test = this.condition()
    while (this.blanks().take('&&')) test = and(test, this.condition())
    return test
  }

  private condition(): Test {
    this.blanks()
    if (this.take('!')) return not(this.condition())
    if (this.take('(')) {
      const test = this.either()
      if (!this.blanks().take(')')) this.fail()
      return test
    }
    const left = this.operand()
    const operator = this.blanks().match(OPERATOR)
    if (operator === undefined) return (value, root) => left(value, root) !== undefined
    const right = this.blanks().operand()
    return (value, root) => compare(operator, left(value, root), right(value, root))
  }

  private operand(): Operand {
    const isOfRoot = this.take('$')
    if (isOfRoot || this.take('@')) {
      const steps = this.steps()
      return (value, root) => walk(isOfRoot ? root : value, steps, root)[0]?.value
    }
    const quoted = this.match(QUOTED)
    const literal = quoted === undefined ? this.literal() : unquoted(quoted)
    return () => literal
  }

  private literal(): Json {
    const [value, end] = parsedAt(this.text, this.at)
    this.at = end
    return value
  }
}

/** `\'`, `\"` and `\\` are the character; another backslash is itself. */
function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(['"\\])/g, '$1')
}

const or = (a: Test, b: Test): Test => (value, root) => a(value, root) || b(value, root)
const and = (a: Test, b: Test): Test => (value, root) => a(value, root) && b(value, root)
const not = (a: Test): Test => (value, root) => !a(value, root)

/** An integer and a double are compared as numbers. */
function compare(operator: string, a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const areNumbers = isNumber(a) && isNumber(b)
  if (operator === '==' || operator === '!=') return (areNumbers ? !(a < b) && !(a > b) : equal(a, b)) === (operator === '==')
  if (!areNumbers && !(typeof a === 'string' && typeof b === 'string')) return false
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b
}

function isNumber(value: Json): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

// ---- selecting ----

/** All that the path selects. */
export function select(root: Json, { steps }: Path): Node[] {
  return walk(root, steps, root)
}

function walk(from: Json, steps: readonly Step[], root: Json): Node[] {
  let nodes: Node[] = [{ value: from, up: undefined, key: 0, depth: 0 }]
  for (const step of steps) {
    const bases = step.isDeep ? nodes.flatMap(node => [...withInner(node)]) : nodes
    nodes = bases.flatMap(node => children(node, step, root))
  }
  return nodes
}

function* withInner(node: Node): Generator<Node> {
  yield node
  for (const child of all(node)) yield* withInner(child)
}

function below(up: Node, key: number | string, value: Json): Node {
  return { value, up, key, depth: up.depth + 1 }
}

function all(node: Node): Node[] {
  const { value } = node
  if (Array.isArray(value)) return value.map((one, key) => below(node, key, one))
  return value instanceof Map ? [...value].map(([key, one]) => below(node, key, one)) : []
}

function children(node: Node, step: Step, root: Json): Node[] {
  if (step.kind === 'any') return all(node)
  if (step.kind === 'filter') return all(node).filter(({ value }) => step.test(value, root))
  if (step.kind === 'keys') return step.keys.flatMap(key => child(node, key))
  const { value } = node
  if (!Array.isArray(value)) return []
  const [from, to] = [clamped(step.from ?? 0, value.length), clamped(step.to ?? value.length, value.length)]
  return all(node).slice(from, Math.max(from, to)).filter((_, i) => i % step.by === 0)
}

function child(node: Node, key: string | number): Node[] {
  const { value } = node
  if (value instanceof Map && typeof key === 'string') return value.has(key) ? [below(node, key, value.get(key)!)] : []
  if (!Array.isArray(value) || typeof key !== 'number') return []
  const i = key < 0 ? value.length + key : key
  return i >= 0 && i < value.length ? [below(node, i, value[i])] : []
}

/** An index, from the end if negative, within the array. */
export function clamped(i: number, length: number): number {
  return Math.min(length, Math.max(0, i < 0 ? length + i : i))
}
