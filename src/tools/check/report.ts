// Report: the findings as lines of text for the operator.

import { bytesText, countText } from '../progress.ts'
import type { AofFindings, RdbFindings } from './findings.ts'
import { printable } from './rdb.ts'

export function rdbLines(found: RdbFindings): string[] {
  const lines = []
  const writer = found.fields.get('redis-ver')
  lines.push(`RDB version ${found.version}${writer === undefined ? '' : `, written by ${printable(writer)}`}`)
  const parts = [plural(found.keys, 'key')]
  if (found.databases > 1) parts.push(`${found.databases} databases`)
  if (found.withExpiry > 0)
    parts.push(`${countText(found.withExpiry)} with an expiry (${countText(found.expired)} over)`)
  if (found.empty > 0) parts.push(plural(found.empty, 'empty key'))
  if (found.libraries > 0) parts.push(plural(found.libraries, 'library', 'libraries'))
  lines.push(`read: ${parts.join(', ')}`)
  const types = [...found.types].sort((a, b) => b[1] - a[1]).map(([type, n]) => `${type} ${countText(n)}`)
  if (types.length > 0) lines.push(`types: ${types.join(', ')}`)
  if (found.values > 0) lines.push(`values on disk: ${countText(found.values)} in ${exactBytes(found.valueBytes)}`)
  if (found.modules.size > 0) lines.push(`data of modules, not looked into: ${[...found.modules].join(', ')}`)
  lines.push(`checksum: ${found.checksum}`)
  return lines
}

export function aofLines(found: AofFindings): string[] {
  const lines = [`read: ${plural(found.commands, 'command')}, ${plural(found.groups, 'group')} of MULTI … EXEC`]
  if (found.firstSeconds >= 0)
    lines.push(`written between ${timeText(found.firstSeconds)} and after ${timeText(found.lastSeconds)}`)
  return lines
}

export function timeText(seconds: number): string {
  const ms = seconds * 1000
  return ms <= 8.64e15 ? `${new Date(ms).toISOString().slice(0, 19)}Z (${seconds})` : String(seconds)
}

export function plural(n: number, one: string, many: string = `${one}s`): string {
  return `${countText(n)} ${n === 1 ? one : many}`
}

/** 'N bytes', followed by the short form if that differs. */
export function exactBytes(n: number): string {
  return n < 1024 ? plural(n, 'byte') : `${countText(n)} bytes (${bytesText(n)})`
}
