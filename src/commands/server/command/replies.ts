// The description of one command in COMMAND INFO and COMMAND DOCS, in RESP2 and RESP3.

import type { KeySpec } from '../../../engine/catalog/keyspecs.ts'
import type { Argument } from '../../../engine/catalog/syntax-line.ts'
import type { CommandTable, TableEntry } from '../../../engine/catalog/table.ts'
import type { Reply } from '../../../protocol/reply.ts'

/** A set of simple strings, the form of all flags in COMMAND. */
export function replyWords(reply: Reply, words: readonly string[]): void {
  reply.set(words.length)
  for (const word of words) reply.simple(word)
}

export function replyInfo(reply: Reply, entry: TableEntry, table: CommandTable): void {
  reply.array(10)
  reply.bulkText(entry.fullName)
  reply.integer(entry.arity)
  replyWords(reply, entry.flagNames())
  reply.integer(entry.range.firstKey)
  reply.integer(entry.range.lastKey)
  reply.integer(entry.range.keyStep)
  replyWords(
    reply,
    table.categoryNamesOf(entry).map(name => `@${name}`),
  )
  const tips = entry.command.tips?.split(' ') ?? []
  reply.set(tips.length)
  for (const tip of tips) reply.bulkText(tip)
  reply.set(entry.keySpecs.length)
  for (const spec of entry.keySpecs) replyKeySpec(reply, spec, table.keyFlagNames(spec.flags))
  if (entry.subs.length === 0) return reply.emptySet()
  reply.array(entry.subs.length)
  for (const sub of entry.subs) replyInfo(reply, sub, table)
}

function replyKeySpec(reply: Reply, spec: KeySpec, flagNames: string[]): void {
  reply.map(spec.notes === undefined ? 3 : 4)
  if (spec.notes !== undefined) textField(reply, 'notes', spec.notes)
  reply.bulkText('flags')
  replyWords(reply, flagNames)
  reply.bulkText('begin_search')
  reply.map(2)
  textField(reply, 'type', spec.begin)
  reply.bulkText('spec')
  if (spec.begin === 'unknown') reply.emptyMap()
  else if (spec.begin === 'index') {
    reply.map(1)
    integerField(reply, 'index', spec.from)
  } else {
    reply.map(2)
    textField(reply, 'keyword', spec.keyword.toUpperCase())
    integerField(reply, 'startfrom', spec.from)
  }
  reply.bulkText('find_keys')
  reply.map(2)
  textField(reply, 'type', spec.find)
  reply.bulkText('spec')
  if (spec.find === 'unknown') reply.emptyMap()
  else if (spec.find === 'range') {
    reply.map(3)
    integerField(reply, 'lastkey', spec.lastKey)
    integerField(reply, 'keystep', spec.step)
    integerField(reply, 'limit', spec.limit)
  } else {
    reply.map(3)
    integerField(reply, 'keynumidx', spec.keyNumIndex)
    integerField(reply, 'firstkey', spec.firstKey)
    integerField(reply, 'keystep', spec.step)
  }
}

export function replyDocs(reply: Reply, entry: TableEntry): void {
  const { command } = entry
  const args = entry.arguments()
  const mark = reply.beginDeferredArray()
  let fields = 3
  textField(reply, 'summary', command.summary)
  textField(reply, 'since', command.since)
  textField(reply, 'group', command.group)
  if (command.complexity !== undefined) {
    fields++
    textField(reply, 'complexity', command.complexity)
  }
  if (command.module !== undefined) {
    fields++
    textField(reply, 'module', command.module)
  }
  if (command.deprecated !== undefined || command.syscmd) {
    fields++
    reply.bulkText('doc_flags')
    replyWords(reply, command.syscmd ? ['syscmd'] : ['deprecated'])
  }
  if (command.deprecated !== undefined) {
    fields += 2
    textField(reply, 'deprecated_since', command.deprecated.since)
    textField(reply, 'replaced_by', command.deprecated.replacedBy)
  }
  if (command.history !== undefined) {
    fields++
    reply.bulkText('history')
    reply.set(command.history.length)
    for (const [since, change] of command.history) {
      reply.array(2)
      reply.bulkText(since)
      reply.bulkText(change)
    }
  }
  if (args.length > 0) {
    fields++
    reply.bulkText('arguments')
    replyArguments(reply, args)
  }
  if (entry.subs.length > 0) {
    fields++
    reply.bulkText('subcommands')
    reply.map(entry.subs.length)
    for (const sub of entry.subs) {
      reply.bulkText(sub.fullName)
      replyDocs(reply, sub)
    }
  }
  reply.endMap(mark, fields)
}

function replyArguments(reply: Reply, args: readonly Argument[]): void {
  reply.array(args.length)
  for (const arg of args) {
    const mark = reply.beginDeferredArray()
    let fields = 3 // name, type and either display_text or arguments
    const group = arg.args.length > 0
    textField(reply, 'name', arg.name)
    textField(reply, 'type', arg.type)
    if (!group) textField(reply, 'display_text', arg.displayText)
    if (arg.keySpecIndex >= 0) {
      fields++
      integerField(reply, 'key_spec_index', arg.keySpecIndex)
    }
    if (arg.token !== undefined) {
      fields++
      textField(reply, 'token', arg.token)
    }
    if (arg.since !== undefined) {
      fields++
      textField(reply, 'since', arg.since)
    }
    if (arg.deprecatedSince !== undefined) {
      fields++
      textField(reply, 'deprecated_since', arg.deprecatedSince)
    }
    const flags = [arg.optional && 'optional', arg.multiple && 'multiple', arg.multipleToken && 'multiple_token']
    const words = flags.filter(word => word !== false)
    if (words.length > 0) {
      fields++
      reply.bulkText('flags')
      replyWords(reply, words)
    }
    if (group) {
      reply.bulkText('arguments')
      replyArguments(reply, arg.args)
    }
    reply.endMap(mark, fields)
  }
}

function textField(reply: Reply, name: string, text: string): void {
  reply.bulkText(name)
  reply.bulkText(text)
}

function integerField(reply: Reply, name: string, n: number): void {
  reply.bulkText(name)
  reply.integer(n)
}
