// The project's sources for the tidy tests: files, their imports, the length of their functions. Text is parsed line by
// line, since the formatter gives every file the same shape.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceFile {
  /** From the project's root, with slashes: 'src/lib/slice.ts'. */
  path: string
  text: string
  lines: string[]
  isTest: boolean
}

export interface Import {
  /** A path like SourceFile.path, or the name of a package. */
  target: string
  typeOnly: boolean
}

export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

// The test also runs from build/, two folders deeper.
function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder))
}

export function readSources(folder: string): SourceFile[] {
  return readdirSync(join(projectRoot, folder), { recursive: true })
    .map(name => `${folder}/${String(name).replaceAll('\\', '/')}`)
    .filter(path => path.endsWith('.ts'))
    .sort()
    .map(path => {
      const text = readFileSync(join(projectRoot, path), 'utf8')
      return { path, text, lines: text.trimEnd().split('\n'), isTest: /\.(test|bench)\.ts$/.test(path) }
    })
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm

export function importsOf(file: SourceFile): Import[] {
  return [...file.text.matchAll(IMPORT)].map(([, type, names, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic
    return {
      target: target.startsWith('.') ? normalize(join(dirname(file.path), target)).replaceAll('\\', '/') : target,
      typeOnly: type !== undefined || onlyTypes(names ?? ''),
    }
  })
}

function onlyTypes(names: string): boolean {
  const listed = names
    .replace(/[{}\s]+/g, ' ')
    .split(',')
    .map(name => name.trim())
    .filter(Boolean)
  return names.startsWith('{') && listed.length > 0 && listed.every(name => name.startsWith('type '))
}

/** The code without comments and quoted text. */
export function bareCode(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, quoted =>
    quoted.replace(/[^\n]/g, ' '),
  )
}

export interface FunctionSize {
  name: string
  line: number
  lineCount: number
}

const NO_FUNCTION = /^\s*(?:\}\s*)?(?:if|for|while|switch|else|do|try|catch|finally|class|interface|type|return \{)\b/
const HEADER = /(?:^|\s)(?:function\*?\s+)?([#\w$]+)\s*(?:<[^>]*>)?\(|([#\w$]+)\s*[:=]\s*(?:async\s*)?(?:function|\()/

/** Functions and methods, from the line that names them to the closing brace of the same indentation. */
export function functionsOf(file: SourceFile): FunctionSize[] {
  const found: FunctionSize[] = []
  const lines = bareCode(file.text).split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    if (!/\)(?::[^{]*| is [^{]*)?\s*\{$|=>\s*\{$|\): .*\{$/.test(line)) continue
    const indent = indentOf(line)
    // A header over several lines ends with `) {` at its first line's indentation.
    let start = at
    if (/^\s*\)/.test(line)) while (start > 0 && (start === at || indentOf(lines[start]) !== indent)) start--
    if (NO_FUNCTION.test(lines[start])) continue
    const end = lines.findIndex((other, i) => i > at && indentOf(other) === indent && other.trimStart().startsWith('}'))
    if (end < 0) continue
    const header = HEADER.exec(lines[start])
    found.push({ name: header?.[1] ?? header?.[2] ?? 'anonymous', line: start + 1, lineCount: end - start + 1 })
  }
  return found
}

function indentOf(line: string): number {
  return line.trim() === '' ? -1 : line.length - line.trimStart().length
}
