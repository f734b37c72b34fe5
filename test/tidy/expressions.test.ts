// Client text is read character by character (lib/strtod.ts, lib/text.ts): a regular expression may take quadratic
// time, and split() many times the memory of a value. The remaining uses of either are listed here with their input and
// why they take linear time.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expressionsOf } from './expressions.ts'
import { readSources } from './source.ts'

/** Tools read files and servers for one operator; no other client waits. */
const TOOLS = 'src/tools/'

/** By file: the reason, and the expressions. */
const KNOWN: { readonly [path: string]: readonly [why: string, ...expressions: string[]] } = {
  'src/client/payload-reader.ts': [
    'a line of at most 1 KiB of a primary: from its beginning, once',
    '/\\r$/',
    '/^\\$(\\d{1,15})$/',
    '/^\\$EOF:(.*)$/s',
  ],
  'src/client/primary-link.ts': [
    'a reply of at most 64 KiB of a primary: from its beginning, once',
    '/^(NOAUTH|NOPERM|ERR operation not permitted)/',
    '/^(NOPERM|NOAUTH|LOADING|MASTERDOWN|NOMASTERLINK)/',
    '/^\\d+$/',
    ".split(' ')",
  ],
  'src/client/remote.ts': ['INFO of another server, in tools: lines', ".split('\\r\\n')"],
  'src/client/url.ts': [
    'an address that the operator gives: from its beginning, each part up to the sign that ends it',
    '/^(rediss?):\\/\\/(?:([^@/]*)@)?(\\[[^\\]]+\\]|[^:/?#]+)(?::(\\d{1,5}))?(?:\\/(\\d*))?$/',
    '/^unix:(?:\\/\\/(?:([^@/]*)@)?)?(\\/[^?]+)(?:\\?(.*))?$/',
    '/^\\d+$/',
    ".split('&')",
  ],
  'src/commands/connection/client/index.ts': [
    'a name of a client: one class from the beginning on, then given back once',
    '/^[!-~]*(\\0|$)/',
  ],
  'src/commands/shared/references.ts': ['a value out of our own list', '/lru|lfu/'],
  'src/commands/server/command/replies.ts': ['our own table of commands', ".split(' ')"],
  'src/commands/server/config.ts': ['an address that the runtime writes', '/^(127\\.0\\.0\\.1|\\[?::1\\]?):\\d+$/'],
  'src/engine/catalog/syntax-line.ts': [
    'our own table of commands, read at the start',
    '/[A-Z][A-Z0-9-]*(?![a-z])|"[^"]*"/y',
    '/[a-z][a-z0-9-]*/y',
    '/=([a-z0-9-]+|"[^"]*[a-z][^"]*")/y',
    '/:(integer|double|key|pattern|unix-time|pure-token)/y',
    '/#(\\d+)/y',
    '/@(\\d+(?:\\.\\d+)*)/y',
    '/!(\\d+(?:\\.\\d+)*)/y',
    '/\\.\\.\\./y',
    '/ /y',
    '/^ [a-z]/',
  ],
  'src/engine/catalog/keyspecs.ts': [
    'our own table of commands, read at the start',
    '/^([A-Z_ ]+) @(\\d+|\\?|[A-Z]+:-?\\d+)(?:#(\\d+)\\+(\\d+))?(?:\\.\\.([+-]\\d+))?(?:\\/(\\d+))?(?:%(\\d+))?(?: \\((.*)\\))?$/',
    ".split('; ')",
    ".split(':')",
    ".split(' ')",
  ],
  'src/scripting/js/js-engine.ts': ["a library's text, and flags: at FUNCTION LOAD", '/\\bimport\\b/', ".split(',')"],
  'src/modules/clients.ts': ["a module's facts, in the application: once a command", '/@(\\d+)/', ".split(' ')"],
  'src/embed/client.ts': ['our own table of commands, read at the start', ".split(' ')"],
  'src/server/rest/api.ts': ['the path of a request: once', ".split('/')"],
  'src/memory-server.ts': ["a program's own options", ".split(',')", ".split('_')"],
  'src/engine/catalog/facts.ts': ['our own table of commands, read at the start', ".split(' ')"],
  'src/lib/words.ts': [
    'bytes of clients for MONITOR, and words of the configuration: one character at a time',
    '/[\\\\"\\x00-\\x1f\\x7f-\\xff]/g',
    '/^[!#-[\\]-~]+$/',
  ],
  'src/persistence/aof/manifest.ts': [
    'the manifest, a file of our own of lines of at most 1 KiB; one character at a time',
    '/[/\\\\]/',
    ".split('\\n')",
  ],
  'src/persistence/rdb/output.ts': ['at most 11 characters', '/^(0|-?[1-9][0-9]*)$/'],
  'src/protocol/reply-reader.ts': [
    'what another server answers: digits that are given back once, for nothing behind them may be a digit too',
    '/^[+-]?\\d+$/',
    '/^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?$/',
  ],
  'src/scripting/lua/compile.ts': [
    'the name of a chunk: up to the first that is one of two characters; names of our own functions',
    '/[\\r\\n]/',
    ".split('.')",
    '.search(/[\\r\\n]/)',
  ],
  'src/scripting/debugger/session.ts': ['a script that is debugged: its lines, once', ".split('\\n')"],
  'src/engine/acl/lines.ts': [
    'rules of an administrator or of a file: words and lines, once',
    ".split('\\n')",
    ".split(' ')",
  ],
  'src/lib/address.ts': [
    'an address of an operator, a monitored server or another sentinel: once',
    ".split('.', OCTETS + 1)",
  ],
  'src/cluster/nodes-file.ts': [
    'our own file: lines, words and fields, once',
    ".split('\\n')",
    ".split(',')",
    ".split(',')",
    ".split(',')",
    ".split('@')",
    ".split('@')",
    ".split(':')",
    ".split('=')",
    ".split('-')",
  ],
  'src/sentinel/commands.ts': ['our own table of commands', ".split(' ')"],
  'src/sentinel/hello.ts': ['a hello message: its fields, at most nine', ".split(',', FIELDS + 1)"],
  'src/sentinel/info-report.ts': [
    'INFO of a monitored server: lines and fields, once',
    ".split('\\r\\n')",
    ".split(',')",
  ],
  'src/scripting/lua/lexer.ts': ['our own list of words, once', ".split( ' ', )"],
  'src/scripting/lua/state.ts': ['a message of the runtime', '/stack/'],
  'src/scripting/lua/stdlib/classes.ts': ['a single character, 256 times at the start', '/[A-Za-z]/', '/[0-9A-Fa-f]/'],
  'src/scripting/lua/stdlib/search.ts': [
    'a pattern of a script: up to the first that is one of some characters',
    '/[$^*+?.([%-]/',
  ],
  'src/scripting/redis-library-api.ts': ['our own version', ".split('.')"],
  'src/scripting/redis-libs/cjson-decode.ts': [
    'JSON: up to the next that is one of three characters, and on from there',
    '/["\\\\\\x00]/g',
  ],
  'src/scripting/redis-libs/cjson-encode.ts': [
    'a text of a script: one character at a time',
    '/[\\x00-\\x1f"/\\\\\\x7f]/g',
  ],
  'src/scripting/redis-libs/struct.ts': ['a single character; at most 32 characters', '/[0-9A-Za-z]/', ".split('')"],
  'src/scripting/sandbox.ts': ['our own list of words, once', ".split(' ')"],
  'src/scripting/script-run.ts': ['the capitals at the beginning of a refusal that we have written', '/^-([A-Z]+) /'],
  'src/scripting/scripts-shebang.ts': [
    'the first line of a script: names between commas, each looked at once',
    ".split(',')",
  ],
  'src/config/config.ts': ['the value of CONFIG SET: words between spaces, each read once', ".split(' ')"],
  'src/config/directives-persistence.ts': ['names of files in the configuration: one character at a time', '/[/\\\\]/'],
  'src/config/directives-replication.ts': [
    'CONFIG SET of names: one character at a time',
    '/[^A-Za-z0-9.-]/',
    '/[\\0!#$%&()*+:;<>?@[\\]^{|}~]/',
  ],
  'src/config/directives.ts': ['our own list of names, once', '/[-_](.)/g'],
  'src/config/file.ts': [
    'the path of the configuration file: each stretch between slashes once',
    '/[/\\\\][^/\\\\]*$/',
  ],
  'src/config/parser.ts': [
    'the configuration file and the command line, before there are clients: lines, and one character at a time',
    '/^--(save|sentinel)$/i',
    '/[*?[]/',
    '/[*?[]/',
    '/\\[!/g',
    ".split('\\n')",
    ".split('/')",
  ],
  'src/config/values.ts': [
    "a user of the program's own configuration: words between spaces, each read once",
    ".split(' ')",
  ],
  'src/config/rewrite.ts': ['the configuration file: lines', ".split('\\n')"],
  'src/engine/monitoring/info.ts': ['names in INFO: one character at a time', '/[#:\\n\\r]/g'],
  'src/replication/replica.ts': ['an address that the runtime writes', '/:\\d+$/'],
  'src/embed/state.ts': ['a line of our own about a user', ".split(' ')"],
  'src/server/http/head.ts': [
    'a head of 8 KB at most: lines, and the words of the first',
    ".split('\\n')",
    ".split(' ')",
  ],
  'src/server/metrics/endpoint.ts': ['the path of a request of 8 KB at most', ".split('?', 1)"],
  'src/server/info-sources.ts': ['what the runtime is called', ".split(' ')"],
  'src/server/info.ts': ['our own list of names, once', '/\\s+/', '.split(/\\s+/)'],
  'src/server/metrics/names.ts': ['our own list of names, once', '/\\s+/', '.split(/\\s+/)', ".split('=')"],
  'src/server/metrics/scrape.ts': ['our own list of names', ".split(' ')"],
  'src/server/tls.ts': ['CONFIG SET of names: words between blanks, each read once', '/\\s+/', '.split(/\\s+/)'],
  'src/server/warm-up.ts': ['our own commands, once', ".split(' ')"],
  'src/system/process-title.ts': ['a line of /proc', ".split(' ')"],
  'src/system/real-process.ts': [
    'files of the system about a process: one class after the other',
    '/^[1-9][0-9]*:b?[0-9]*$/',
    ".split(':')",
    ".split(' ')",
  ],
  'src/system/virtual-network.ts': ['addresses that tests make up', '/^[0-9.]+$/'],
  'src/system/virtual-disk.ts': ['paths of the disk that tests make up', ".split('/')"],
}

test('regular expressions and splits are listed with a reason', () => {
  const wrong: string[] = []
  for (const file of readSources('src')) {
    if (file.isTest || file.path.startsWith(TOOLS)) continue
    const [, ...known] = KNOWN[file.path] ?? ['']
    for (const found of expressionsOf(file)) {
      const at = known.indexOf(found)
      if (at < 0) wrong.push(`${file.path}: ${found}`)
      else known.splice(at, 1)
    }
    for (const gone of known) wrong.push(`${file.path} has it no more: ${gone}`)
  }
  assert.equal(wrong.join('\n'), '')
})

test('expressions are told from divisions, texts and comments', () => {
  const text = [
    "const a = b / c / d // 'not' /this/",
    'const e = /[/"]x\\//gi.test(f)',
    'if (!/y/.test(g)) return /z/',
    "h.split('\\0')[0] /* .split('i') */",
    "'/j/'.length / `k/l/` / 2",
    'this.split(m)',
    "n.replace(/[0-9]+$/, '')",
  ].join('\n')
  const found = expressionsOf({ path: '', text, lines: [], isTest: false })
  assert.deepEqual(found, ['/[/"]x\\//gi', '/y/', '/z/', '/[0-9]+$/', ".split('\\0')"])
})
