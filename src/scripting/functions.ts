// Functions: the libraries loaded with FUNCTION LOAD, and their functions.
//
// Always: library names are case-sensitive; function names are unique over all libraries regardless of case. A failed
// load or restore changes nothing. Texts are latin1, one char per byte.

import { NameIndex } from '../engine/catalog/name-index.ts'
import type { FunctionInfo, FunctionLibraries, LibraryInfo, Outcome } from '../engine/ports/scripting.ts'
import { Slice } from '../lib/slice.ts'
import { dumpLibraries, readLibraries } from './functions-dump.ts'
import {
  ENGINE_BYTES,
  type FunctionDraft,
  type Program,
  type Runnable,
  SCRIPT_FLAGS,
  type ScriptEngine,
} from './script-engine.ts'
import { isName, readLibraryHead } from './scripts-shebang.ts'

const LOAD_LIMIT_MS = 500
const LIBRARY_BYTES = 200
const FUNCTION_BYTES = 160
const BAD_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long'

class ScriptFunction implements FunctionInfo, Runnable {
  readonly isFunction = true
  readonly name: string
  readonly description: string | undefined
  readonly flags: number
  readonly program: Program
  readonly engine: ScriptEngine

  constructor(draft: FunctionDraft, engine: ScriptEngine) {
    this.name = draft.name
    this.description = draft.description
    this.flags = draft.flags
    this.program = draft.program
    this.engine = engine
  }

  get flagNames(): string[] {
    return [...SCRIPT_FLAGS].filter(([, bit]) => (this.flags & bit) !== 0).map(([name]) => name)
  }
}

class Library implements LibraryInfo {
  readonly name: string
  readonly engineName: string
  readonly code: string
  readonly byName = new Map<string, ScriptFunction>()

  constructor(name: string, engineName: string, code: string) {
    this.name = name
    this.engineName = engineName
    this.code = code
  }

  get functions(): ScriptFunction[] {
    return [...this.byName.values()]
  }
}

type Shelf = Map<string, Library>

export class Functions implements FunctionLibraries {
  memoryBytes = LIBRARY_BYTES
  /** Engines by lower-case name; Lua is the first. */
  private readonly makers: ReadonlyMap<string, () => ScriptEngine>
  private readonly made = new Map<string, ScriptEngine>()
  private shelf: Shelf = new Map()
  private index: NameIndex<ScriptFunction> = new NameIndex<ScriptFunction>([])

  /** By lower-case name, Lua first; an engine is made at first use. */
  constructor(makers: ReadonlyMap<string, () => ScriptEngine>) {
    this.makers = makers
  }

  private engine(name: string): ScriptEngine | undefined {
    const lower = name.toLowerCase()
    const made = this.made.get(lower) ?? this.makers.get(lower)?.()
    if (made !== undefined) this.made.set(lower, made)
    return made
  }

  /** Lua's. */
  get interpreter(): ScriptEngine {
    return this.engine('lua')!
  }

  /** The server ends. */
  end(): void {
    for (const engine of this.made.values()) engine.end?.()
  }

  find(name: Slice): ScriptFunction | undefined {
    return this.index.find(name)
  }

  get engineNames(): string[] {
    return [...this.makers.keys()].map(name => name.toUpperCase())
  }

  libraryCountOf(engineName: string): number {
    return this.of(engineName).length
  }

  functionCountOf(engineName: string): number {
    return this.of(engineName).reduce((sum, one) => sum + one.byName.size, 0)
  }

  private of(engineName: string): Library[] {
    return [...this.shelf.values()].filter(one => one.engineName === engineName)
  }

  get libraryCount(): number {
    return this.shelf.size
  }

  get functionCount(): number {
    return this.index.size
  }

  get interpreterBytes(): number {
    let bytes = this.made.has('lua') ? 0 : ENGINE_BYTES
    for (const engine of this.made.values()) bytes += engine.memoryBytes
    return bytes
  }

  libraries(): Iterable<LibraryInfo> {
    return this.shelf.values()
  }

  load(code: Slice, replace: boolean, timeLimited: boolean): Outcome {
    const shelf = new Map(this.shelf)
    const outcome = this.loadInto(shelf, code.latin1(), replace, timeLimited ? LOAD_LIMIT_MS : 0)
    if (outcome.error === undefined) this.adopt(shelf)
    return outcome
  }

  delete(name: Slice): boolean {
    const found = this.shelf.delete(name.latin1())
    if (found) this.adopt(this.shelf)
    return found
  }

  flush(): void {
    this.adopt(new Map())
  }

  dump(): Slice {
    return dumpLibraries([...this.shelf.values()].map(library => Slice.of(library.code)))
  }

  restore(payload: Slice, policy: 'append' | 'replace' | 'flush'): Outcome {
    const codes = readLibraries(payload)
    if (typeof codes === 'string') return { error: codes }
    const restored: Shelf = new Map()
    for (const code of codes) {
      const outcome = this.loadInto(restored, code.latin1(), false, 0)
      if (outcome.error !== undefined) return outcome
    }
    if (policy === 'flush') {
      this.adopt(restored)
      return { text: '' }
    }
    const joined = new Map(this.shelf)
    for (const name of restored.keys()) {
      if (policy === 'append' && joined.has(name)) return { error: `Library ${name} already exists` }
      joined.delete(name)
    }
    for (const library of restored.values()) {
      const taken = library.functions.find(one => isTaken(joined, one.name))
      if (taken !== undefined) return { error: `Function ${taken.name} already exists` }
    }
    for (const library of restored.values()) joined.set(library.name, library)
    this.adopt(joined)
    return { text: '' }
  }

  private adopt(shelf: Shelf): void {
    this.shelf = shelf
    const all: [Slice, ScriptFunction][] = []
    let bytes = LIBRARY_BYTES
    for (const { name, code, functions } of shelf.values()) {
      bytes += LIBRARY_BYTES + name.length + code.length
      for (const one of functions) {
        bytes += FUNCTION_BYTES + one.name.length + (one.description?.length ?? 0)
        all.push([Slice.of(one.name), one])
      }
    }
    this.memoryBytes = bytes
    this.index = new NameIndex(all)
    for (const engine of this.made.values())
      engine.keep?.(all.filter(([, one]) => one.engine === engine).map(([, one]) => one.program))
  }

  private loadInto(shelf: Shelf, code: string, replace: boolean, limitMs: number): Outcome {
    const head = readLibraryHead(code)
    if (typeof head === 'string') return { error: head }
    if (!isName(head.name)) return { error: BAD_NAME }
    const engine = this.engine(head.engineName)
    if (engine === undefined) return { error: `Engine '${head.engineName}' not found` }
    if (shelf.has(head.name) && !replace) return { error: `Library '${head.name}' already exists` }
    const library = new Library(head.name, engine.name, code)
    const register = (draft: FunctionDraft) => {
      if (!isName(draft.name)) return BAD_NAME
      if (library.byName.has(draft.name)) return 'Function already exists in the library'
      library.byName.set(draft.name, new ScriptFunction(draft, engine))
      return undefined
    }
    const failure = engine.runLibrary(code.slice(head.codeFrom), limitMs, register)
    if (failure !== undefined) return { error: failure }
    if (library.byName.size === 0) return { error: 'No functions registered' }
    shelf.delete(head.name)
    const taken = library.functions.find(one => isTaken(shelf, one.name))
    if (taken !== undefined) return { error: `Function ${taken.name} already exists` }
    shelf.set(head.name, library)
    return { text: head.name }
  }
}

/** Whether the shelf has a function of that name, in any case. */
function isTaken(shelf: Shelf, name: string): boolean {
  const lower = name.toLowerCase()
  for (const library of shelf.values())
    for (const one of library.byName.keys()) if (one.toLowerCase() === lower) return true
  return false
}
