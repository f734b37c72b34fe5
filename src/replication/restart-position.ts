// RestartPosition: a primary that restarts from an RDB file: its replicas may go on where the file was saved.
//
//   begin ─▶ the file is loaded: DEL of each key that has expired meanwhile ─▶ backlog ─▶ end
//
// Always: the replid of before is kept as replid2, up to the file's offset; a file without a position, and an
// append-only file, leave nothing behind.

import { PROPAGATE_ALL } from '../engine/effect.ts'
import type { Engine } from '../engine/engine.ts'
import { Slice } from '../lib/slice.ts'
import type { DatasetLoader } from '../persistence/dataset-loader.ts'
import type { ReplicationStream } from './stream.ts'

const DEL = Slice.of('DEL')

interface RestartParts {
  engine: Engine
  stream: ReplicationStream
  loader: DatasetLoader
}

export class RestartPosition {
  private readonly parts: RestartParts
  private readonly expired: { db: number; key: Slice }[] = []

  constructor(parts: RestartParts) {
    this.parts = parts
  }

  begin(): void {
    this.parts.loader.onDropped = (db, key) => this.expired.push({ db: db.index, key: key.copy() })
  }

  end(): void {
    const { loader, stream } = this.parts
    loader.onDropped = undefined
    const { position } = loader
    if (position !== undefined) {
      stream.resume(position.id, position.offset)
      for (const { db, key } of this.expired) stream.changes([{ db, args: [DEL, key], targets: PROPAGATE_ALL }], false)
      stream.flush()
    }
    this.expired.length = 0
  }
}
