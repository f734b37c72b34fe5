// The election of the sentinel that fails a primary over: each sentinel has one vote per epoch and primary.
//
// Always: a vote is saved before it is answered, so that a restarted sentinel does not vote twice in an epoch.

import type { Primary } from './instance.ts'
import type { Sentinel } from './sentinel.ts'
import { DESYNC_MS_MAX } from './timing.ts'

/** Votes for a candidate unless this sentinel has voted in this epoch or a later one. The vote is primary.leader's. */
export function vote(sentinel: Sentinel, primary: Primary, epoch: number, candidate: string): void {
  if (epoch > sentinel.currentEpoch) sentinel.raiseEpoch(epoch, primary)
  if (primary.leaderEpoch >= epoch || sentinel.currentEpoch > epoch) return
  primary.leader = candidate
  primary.leaderEpoch = sentinel.currentEpoch
  sentinel.save()
  sentinel.events.send('warning', '+vote-for-leader', `${candidate} ${primary.leaderEpoch}`, primary)
  // Another one tries: it gets its time before this sentinel does.
  if (candidate.toLowerCase() !== sentinel.id.toLowerCase())
    primary.failover.startMs = sentinel.nowMs + sentinel.host.random(DESYNC_MS_MAX)
}

/** Who has the votes of most known sentinels and of the quorum in the current epoch. Votes itself if it has not. */
export function electedLeader(sentinel: Sentinel, primary: Primary): string | undefined {
  const { currentEpoch } = sentinel
  const votes = new Map<string, number>()
  const add = (leader: string) => votes.set(leader, (votes.get(leader) ?? 0) + 1)
  for (const { leader, leaderEpoch } of primary.sentinels.values())
    if (leader !== undefined && leaderEpoch === currentEpoch) add(leader)
  vote(sentinel, primary, currentEpoch, mostVoted(votes)?.[0] ?? sentinel.id)
  if (primary.leader !== undefined && primary.leaderEpoch === currentEpoch) add(primary.leader)
  const winner = mostVoted(votes)
  if (winner === undefined) return undefined
  return winner[1] >= primary.majority && winner[1] >= primary.settings.quorum ? winner[0] : undefined
}

function mostVoted(votes: ReadonlyMap<string, number>): [candidate: string, count: number] | undefined {
  let most: [string, number] | undefined
  for (const one of votes) if (most === undefined || one[1] > most[1]) most = one
  return most
}
