// Directives about RDB and append-only files.

import { choice, folder, integer, LONG_MAX, memory, path, Refusal, yesNo } from './kinds.ts'
import { savePoints } from './special.ts'

export const persistenceDirectives = {
  dir: folder({ protected: true, notWhileLoading: true }),
  save: savePoints([
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10000 },
  ]),
  dbfilename: path('dump.rdb', { protected: true, check: name => checkBaseName('dbfilename', 'filename', name) }),
  rdbchecksum: yesNo(true, { immutable: true }),
  rdbcompression: yesNo(true),
  'rdb-del-sync-files': yesNo(false),
  'rdb-save-incremental-fsync': yesNo(true),
  'stop-writes-on-bgsave-error': yesNo(true),
  'loading-process-events-interval-bytes': integer(2 * 1024 * 1024, { hidden: true, min: 1024 }),
  appendonly: yesNo(false, { notWhileLoading: true }),
  appendfilename: path('appendonly.aof', {
    immutable: true,
    check: name => checkAofName('appendfilename', 'filename', name),
  }),
  appenddirname: path('appendonlydir', {
    immutable: true,
    check: name => checkAofName('appenddirname', 'dirname', name),
  }),
  appendfsync: choice(['everysec', 'always', 'no'], 'everysec'),
  'no-appendfsync-on-rewrite': yesNo(false),
  'auto-aof-rewrite-percentage': integer(100),
  'auto-aof-rewrite-min-size': memory(64 * 1024 * 1024, { max: LONG_MAX, signed: true }),
  'aof-rewrite-incremental-fsync': yesNo(true),
  'aof-load-truncated': yesNo(true),
  'aof-use-rdb-preamble': yesNo(true),
  'aof-timestamp-enabled': yesNo(false),
  'aof-disable-auto-gc': yesNo(false, { hidden: true }),
}

function checkBaseName(directive: string, noun: string, name: string): void {
  if (/[/\\]/.test(name)) throw new Refusal(`${directive} can't be a path, just a ${noun}`)
}

function checkAofName(directive: string, noun: string, name: string): void {
  if (name === '') throw new Refusal(`${directive} can't be empty`)
  checkBaseName(directive, noun, name)
}
