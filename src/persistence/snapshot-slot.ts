// SnapshotSlot: who may take a snapshot of the keyspace now. There is one slot, and at most one owner.
//
//   FREE → TAKEN [acquire, seize] → FREE [release]
//
// Always: a snapshot whose owner has given it up may still iterate, without a consumer; before the slot is taken
// again that iteration has finished.

import type { SnapshotJob } from './snapshot-job.ts'

/** A background save, a rewrite of the append-only file, a synchronisation of replicas, the save at the end. */
type SnapshotOwner = 'save' | 'rewrite' | 'replicas' | 'shutdown'

export class SnapshotSlot {
  private current: SnapshotOwner | undefined
  private job: SnapshotJob | undefined

  get isTaken(): boolean {
    return this.current !== undefined
  }

  isTakenBy(owner: SnapshotOwner): boolean {
    return this.current === owner
  }

  /** A snapshot that was given up still iterates. */
  get isFinishing(): boolean {
    return this.current === undefined && this.job?.isIterating === true
  }

  /** Takes the slot; false when another has it. */
  acquire(owner: SnapshotOwner): boolean {
    if (this.current !== undefined) return false
    this.seize(owner)
    return true
  }

  /** Takes the slot from an owner that has been told to give up. */
  seize(owner: SnapshotOwner): void {
    this.job?.finishIteration()
    this.job = undefined
    this.current = owner
  }

  /** The owner's snapshot has begun. */
  started(job: SnapshotJob): void {
    this.job = job
  }

  release(owner: SnapshotOwner): void {
    if (this.current === owner) this.current = undefined
  }
}
