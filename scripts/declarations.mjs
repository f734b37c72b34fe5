// Rolls the declarations that tsc wrote for one entry up into one text: what the entry exports, and the declarations
// that those name, and no others. Files of other folders of the build then need not be in the package.
//
// What an entry takes from the library itself stays an import from its declarations.
//
// Always: no two declarations in the result have the same name, and nothing in it needs a compiler newer than
// TypeScript 5.0. Either is an error, to be mended in the sources.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** { text, names }: the declarations, and the names of the values that are exported. */
export function rolledUp(entry) {
  const files = new Map()
  read(entry, files)
  const exported = exportsOf(entry, files)
  const wanted = new Map()
  for (const [name, from] of exported) reach(name, from, files, wanted)
  const outside = new Set([...wanted.values()].flatMap(({ needs }) => needs))
  const shown = ([name, { parts }]) => parts.map(one => one.comment + (exported.has(name) ? 'export ' : '') + one.code)
  const text = `${[...outside, ...[...wanted].flatMap(shown), 'export {};'].join('\n')}\n`
  const modern = /ArrayBufferView<|Array<ArrayBuffer(Like)?>|\bAsyncDisposable\b/.exec(text)
  if (modern) throw new Error(`${entry}: '${modern[0]}' is unknown to TypeScript 5.0`)
  const names = [...exported.keys()].filter(name =>
    /^declare (function|class|const)/.test(wanted.get(name).parts[0].code),
  )
  return { text, names }
}

/** The declarations of a file, and where its other names come from. */
function read(path, files) {
  if (files.has(path)) return
  const file = { declared: new Map(), from: new Map(), exports: new Set(), outside: new Map() }
  files.set(path, file)
  for (const statement of statementsOf(readFileSync(path, 'utf8'))) {
    const link = /^(import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+['"]([^'"]+)['"]/.exec(statement)
    if (link !== null) {
      for (const name of namesIn(link[2])) {
        if (link[3] === './index.ts') file.outside.set(name, `import type { ${name} } from './index.js';`)
        else if (link[3].startsWith('.')) file.from.set(name, resolved(path, link[3], files))
        else file.outside.set(name, `import type { ${name} } from '${link[3]}';`)
        if (link[1] === 'export') file.exports.add(name)
      }
      continue
    }
    const [, comment = '', isExport, code] = /^(\s*\/\*\*[\s\S]*?\*\/\s*)?(export (?!\{))?([\s\S]*)$/.exec(statement)
    const name = /^(?:declare )?(?:abstract )?(?:class|interface|type|const|function) (\w+)/.exec(code)?.[1]
    if (name === undefined) continue
    // A declaration may have several parts: an interface beside its class, overloads.
    file.declared.set(name, [...(file.declared.get(name) ?? []), { comment, code }])
    if (isExport) file.exports.add(name)
  }
}

function resolved(path, link, files) {
  const target = join(dirname(path), link).replace(/\.[jt]s$/, '.d.ts')
  read(target, files)
  return target
}

function namesIn(list) {
  const names = list.split(',').map(word => word.trim().replace(/^type /, ''))
  for (const name of names) if (name.includes(' as ')) throw new Error(`renamed in declarations: ${name}`)
  return names.filter(name => name !== '')
}

/** Top-level statements, with the comment before each. */
function statementsOf(text) {
  const statements = []
  let now = []
  for (const line of text.split('\n')) {
    const opens = /^(import|export|declare|interface|type|\/\*\*)/.test(line)
    const afterComment = now.length > 0 && now.every(one => /^(\/\*\*| \*)/.test(one))
    if (opens && !afterComment && now.length > 0) {
      statements.push(now.join('\n'))
      now = []
    }
    if (line !== '') now.push(line)
  }
  return [...statements, now.join('\n')]
}

function exportsOf(entry, files) {
  const file = files.get(entry)
  return new Map([...file.exports].map(name => [name, file.from.get(name) ?? entry]))
}

/** Adds the declaration of that name, and those that it names. */
function reach(name, path, files, wanted) {
  const file = files.get(path)
  const onward = file.declared.has(name) ? undefined : file.from.get(name)
  if (onward !== undefined) return reach(name, onward, files, wanted)
  const parts = file.declared.get(name)
  if (parts === undefined) throw new Error(`${path} declares no ${name}`)
  const known = wanted.get(name)
  if (known !== undefined && known.path !== path) throw new Error(`two ${name}: of ${known.path} and of ${path}`)
  if (known !== undefined) return
  const needs = []
  wanted.set(name, { path, parts, needs })
  const code = parts.map(one => one.code.replace(/\/\*[\s\S]*?\*\//g, '')).join('\n')
  for (const word of new Set(code.match(/\b[A-Za-z_]\w*\b/g))) {
    if (word === name) continue
    if (file.outside.has(word)) needs.push(file.outside.get(word))
    else if (file.declared.has(word)) reach(word, path, files, wanted)
    else if (file.from.has(word)) reach(word, file.from.get(word), files, wanted)
  }
}
