// The configuration at start: file, standard input and command line, in this order, as one text of lines
//
//   directive word 'a word' "\x41\n"     # only whole lines are comments
//   include conf.d/*.conf
//
// Always: the last line of a directive counts, except where lines add up (save).

import { globMatch } from '../lib/glob.ts'
import { Slice } from '../lib/slice.ts'
import { withoutOuter } from '../lib/text.ts'
import { quoted, splitWords } from '../lib/words.ts'
import type { FileSystem } from '../system/system.ts'
import type { Config } from './config.ts'
import { directiveNamed, type NamedDirective } from './directives.ts'
import { Refusal } from './kinds.ts'
import { RETIRED } from './support.ts'
import { bytesOfText, LINE_BLANKS, latin1, textOfBytes } from './words.ts'

/** The configuration is invalid. `report` is the text for the operator; the message, for programs, quotes the line. */
export class ConfigError extends Error {
  readonly report: string

  constructor(why: string, line = 0, text = '') {
    super(text === '' ? why : `${why}: '${text}'`)
    const place = line > 0 ? `Reading the configuration file, at line ${line}\n>>> '${text}'\n` : ''
    this.report = `\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n${place}${why}\n`
  }
}

/** The configuration file cannot be opened; logged. */
export class ConfigFileMissing extends Error {}

interface StartOptions {
  /** Absolute path, '' for none. */
  configFile: string
  fromStdin: boolean
  /** The options of the command line, as lines of a configuration file. */
  lines: string
}

/** What to read, from the words after the program's name. */
export function parseArguments(args: readonly string[], disk: FileSystem): StartOptions {
  const options: StartOptions = { configFile: '', fromStdin: false, lines: '' }
  let at = 0
  if (args.length > 0 && !args[0].startsWith('-')) {
    options.configFile = disk.resolve(args[0].trim())
    at = 1
  }
  // A name without a value yet takes any word, even one that starts with dashes.
  let wantsValue = false
  for (; at < args.length; at++) {
    const word = bytesOfText(args[at])
    const isLast = at === args.length - 1
    if (word === '-' && (at === 0 || isLast)) {
      options.fromStdin = true
    } else if (!wantsValue && word.startsWith('--')) {
      if (options.lines !== '') options.lines += '\n'
      options.lines += `${word.slice(2)} `
      // '--port 7000' in one word has its value already.
      wantsValue = splitWords(word)?.length === 1
      const bare = wantsValue && (isLast || args[at + 1].startsWith('--'))
      if (bare && word.toLowerCase() === '--save') options.lines += '""'
      if (bare && /^--(save|sentinel)$/i.test(word)) wantsValue = isLast
    } else {
      options.lines += `${quoted(word)} `
      wantsValue = false
    }
  }
  return options
}

/** Loads file, standard input and command line into `config`. Throws ConfigError or ConfigFileMissing. */
export function loadConfig(config: Config, options: StartOptions, readStdin: () => Uint8Array): void {
  config.configFile = options.configFile
  let text = options.configFile ? readConfigFile(config.disk, options.configFile) : ''
  if (options.fromStdin) text += latin1(readStdin())
  loadText(config, `${text}\n${options.lines}`, new Set())
}

/** Reads a configuration from its text. */
export function loadText(config: Config, text: string, seen: Set<string> = new Set()): void {
  for (const [index, raw] of text.split('\n').entries()) {
    const line = withoutOuter(raw, LINE_BLANKS)
    if (line === '' || line.startsWith('#')) continue
    const words = splitWords(line)
    if (!words) throw new ConfigError('Unbalanced quotes in configuration line', index + 1, line)
    if (words.length > 0) readLine(config, words, index + 1, line, seen)
  }
  checkWhole(config)
}

/** Sets a value; throws a ConfigError with the line when it is refused. */
export function setByLine(
  config: Config,
  directive: NamedDirective,
  words: readonly string[],
  seen: Set<string>,
  line: number,
  text: string,
): void {
  try {
    config.setFromFile(directive, words, seen)
  } catch (error) {
    if (error instanceof Refusal) throw new ConfigError(error.message, line, text)
    throw error
  }
}

function readLine(config: Config, words: string[], line: number, text: string, seen: Set<string>): void {
  words[0] = words[0].toLowerCase()
  const [name, ...values] = words
  const directive = directiveNamed(name)
  if (directive) {
    if (!directive.kind.manyWords && values.length !== 1) throw new ConfigError('wrong number of arguments', line, text)
    // One word may contain all: --save "900 1".
    const inner = directive.kind.manyWords && values.length === 1 && values[0] !== ''
    return setByLine(config, directive, inner ? (splitWords(values[0]) ?? []) : values, seen, line, text)
  }
  if (RETIRED.includes(name) && values.length === 1) return
  if (name === 'include' && values.length === 1) includeFile(config, values[0], seen)
  else if (name === 'rename-command' && values.length === 2) config.statements.push({ words, line, text })
  else if ((name === 'user' || name === 'loadmodule') && values.length >= 1)
    config.statements.push({ words, line, text })
  else if (name.includes('.')) {
    if (values.length === 0) throw new ConfigError('Module config specified without value', line, text)
    config.statements.push({ words, line, text })
  } else if (name === 'sentinel') {
    if (values.length === 0) return
    if (!config.sentinel) throw new ConfigError('sentinel directive while not in sentinel mode', line, text)
    config.statements.push({ words, line, text })
  } else throw new ConfigError('Bad directive or wrong number of arguments', line, text)
}

/** A pattern without matches includes nothing; a plain name must exist. */
function includeFile(config: Config, name: string, seen: Set<string>): void {
  const path = textOfBytes(name)
  if (!/[*?[]/.test(path)) return loadText(config, readConfigFile(config.disk, path), seen)
  const files = matchingFiles(config.disk, path)
  if (files.length > 0) loadText(config, files.map(file => readConfigFile(config.disk, file)).join(''), seen)
}

/** The paths that match a pattern with wildcards in any part of it, in order. */
export function matchingFiles(disk: FileSystem, pattern: string): string[] {
  const parts = pattern.split('/')
  let found = [pattern.startsWith('/') ? '/' : '']
  if (pattern.startsWith('/')) parts.shift()
  for (const part of parts) {
    found = found.flatMap(folder => {
      const under = (name: string) => (folder === '' || folder === '/' ? folder + name : `${folder}/${name}`)
      if (!/[*?[]/.test(part)) return disk.stat(under(part)) ? [under(part)] : []
      if (disk.stat(folder || '.')?.isDirectory !== true) return []
      const glob = Slice.utf8(part.replace(/\[!/g, '[^'))
      // Names that start with a dot match only a pattern that does.
      const names = disk.readdir(folder || '.').filter(name => part.startsWith('.') || !name.startsWith('.'))
      return names.filter(name => globMatch(glob, Slice.utf8(name))).map(under)
    })
  }
  return found
}

function readConfigFile(disk: FileSystem, path: string): string {
  try {
    return latin1(disk.readFile(path))
  } catch (error) {
    throw new ConfigFileMissing(`Fatal error, can't open config file '${path}': ${(error as Error).message}`)
  }
}

/** Checks that involve several directives. */
export function checkWhole(config: Config): void {
  if (config.logfile !== '') {
    try {
      config.disk.append(config.logfile, new Uint8Array(0))
    } catch (error) {
      throw new ConfigError(`Can't open the log file: ${(error as Error).message}`)
    }
  }
  if (config.clusterEnabled && config.replicaof)
    throw new ConfigError('replicaof directive not allowed in cluster mode')
  if (config.clusterEnabled && config.databases > 1) {
    config.warn(`WARNING: Changing databases number from ${config.databases} to 1 since we are in cluster mode`)
    config.put('databases', 1n)
  }
}
