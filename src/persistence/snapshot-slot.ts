// SnapshotSlot: mutual exclusion of snapshots. At most one owner has the slot.
//
//   FREE → TAKEN [acquire, seize] → FREE [release]
//
// Always: the snapshot of an owner that cancelled may still iterate, without a consumer; that iteration finishes before
// the slot is taken again.

import type { DiskError } from '../system/system.ts'
import type { SnapshotJob } from './snapshot-job.ts'

/**
 * A background save, an AOF rewrite, a full synchronisation, the save at shutdown; a replica loads; a copy is made;
 * slots move.
 */
type SnapshotOwner = 'save' | 'rewrite' | 'replicas' | 'shutdown' | 'load' | 'copy' | 'migration'

export class SnapshotSlot {
  private current: SnapshotOwner | undefined
  private job: SnapshotJob | undefined

  get isTaken(): boolean {
    return this.current !== undefined
  }

  isTakenBy(owner: SnapshotOwner): boolean {
    return this.current === owner
  }

  /** A cancelled snapshot still iterates. */
  get isFinishing(): boolean {
    return this.current === undefined && this.job?.isIterating === true
  }

  /** The snapshot that runs, if there is one, takes all of its steps now. */
  finishIteration(): void {
    this.job?.finishIteration()
  }

  /** Takes the slot; false when another has it. */
  acquire(owner: SnapshotOwner): boolean {
    if (this.current !== undefined) return false
    this.seize(owner)
    return true
  }

  /** Takes the slot from an owner whose job has been aborted. */
  seize(owner: SnapshotOwner): void {
    this.job?.finishIteration()
    this.job = undefined
    this.current = owner
  }

  /** The owner's snapshot has begun. */
  started(job: SnapshotJob): void {
    this.job = job
  }

  /** Cancels the snapshot that runs. */
  abort(reason: DiskError): void {
    this.job?.abort(reason)
  }

  release(owner: SnapshotOwner): void {
    if (this.current === owner) this.current = undefined
  }
}
