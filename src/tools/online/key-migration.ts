// KeyMigration: a migration from a server that refuses replication: keys are copied, then compared, and different ones
// are copied again until there are none.
//
// Always: the state has the position of the copy, where an interrupted migration resumes; changes made behind it are
// found by the comparison.

import type { Remote } from '../../client/remote.ts'
import { ReplyError } from '../../protocol/value.ts'
import type { Machine } from '../command-line.ts'
import { countText, Progress } from '../progress.ts'
import type { DoubtfulKey } from './comparer.ts'
import { MARKER, type MigrationState } from './migration-state.ts'
import { KeyCopier, keysOf, keyText, librariesOf } from './scan-source.ts'
import type { ScratchKeyspace } from './scratch-keyspace.ts'
import type { Stop } from './session.ts'
import { refusal, TargetWriter } from './target-writer.ts'

const SCANS_PER_SAVE = 50

interface KeyMigrationParts {
  machine: Machine
  state: MigrationState
  source: Remote
  target: Remote
  scratch: ScratchKeyspace
  stop: Stop
}

export class KeyMigration {
  keys = 0
  asCommands = 0
  private readonly parts: KeyMigrationParts

  constructor(parts: KeyMigrationParts) {
    this.parts = parts
  }

  /** Copies every key once. */
  async copy(): Promise<void> {
    const { source, target, machine, state } = this.parts
    for (const code of await librariesOf(source)) {
      const reply = await target.try('FUNCTION', 'LOAD', 'REPLACE', code)
      if (reply instanceof ReplyError) throw refusal(target, reply)
    }
    const databases = await keysOf(source)
    let total = 0
    for (const count of databases.values()) total += count
    const progress = new Progress(machine, 'copying', total, countText)
    try {
      for (const database of databases.keys())
        if (!state.facts.databasesDone.includes(database)) await this.copyDatabase(database, progress)
    } finally {
      progress.end()
    }
  }

  private async copyDatabase(database: number, progress: Progress): Promise<void> {
    const { source, target, scratch, state, stop, machine } = this.parts
    const { facts } = state
    const copier = new KeyCopier(source)
    const writer = new TargetWriter(target, scratch, true)
    let cursor = facts.database === database ? facts.cursor : '0'
    facts.database = database
    await copier.select(database)
    for (let scans = 1; ; scans++) {
      const found = await stop.or(copier.scan(cursor))
      for (const one of await copier.take(found.keys, () => machine.clock.nowMs())) {
        this.keys++
        writer.put({ database, ...one, idleSeconds: -1, frequency: -1 })
      }
      progress.update(this.keys)
      await writer.ready()
      cursor = found.cursor
      if (cursor === '0') break
      if (scans % SCANS_PER_SAVE !== 0) continue
      await stop.or(writer.finish())
      facts.cursor = cursor
      state.save()
    }
    await stop.or(writer.finish())
    this.asCommands += writer.asCommands
    facts.databasesDone.push(database)
    facts.cursor = '0'
    state.save()
  }

  /** Copies these keys again. */
  async repair(different: readonly DoubtfulKey[]): Promise<void> {
    const { target, scratch } = this.parts
    const writer = new TargetWriter(target, scratch, true)
    for (const { database, source } of different) {
      if (source === undefined) continue
      writer.put({ database, ...source, idleSeconds: -1, frequency: -1 })
      await writer.ready()
    }
    await writer.finish()
    for (const { database, key, source } of different) {
      if (source !== undefined || keyText(key) === MARKER) continue
      await target.call('SELECT', database)
      await target.call('DEL', key)
    }
  }
}
