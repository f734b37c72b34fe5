// AclLog: commands and logins that were denied, newest first (ACL LOG).
//
// Always: at most acllog-max-len entries; one that repeats a recent one only raises its count and moves to the front.

interface AclLogEntry {
  id: number
  count: number
  reason: 'auth' | 'command' | 'key' | 'channel'
  context: 'toplevel' | 'multi' | 'lua' | 'module'
  /** What was refused: the command's name, the key, the channel; for 'auth' the command as the client wrote it. */
  object: string
  username: string
  /** The client as CLIENT LIST shows it. */
  clientInfo: string
  createdMs: number
  updatedMs: number
}

export type Refusal = Pick<AclLogEntry, 'reason' | 'context' | 'object' | 'username' | 'clientInfo'>

/** Only so many entries are compared with a new one, and only within so long are two the same. */
const SAME_SEARCHED_MAX = 10
const SAME_MS_MAX = 60_000

export class AclLog {
  private entries: AclLogEntry[] = []
  private nextId = 0

  /** The newest `count` entries. */
  newest(count: number): readonly AclLogEntry[] {
    return this.entries.slice(0, count)
  }

  clear(): void {
    this.entries = []
  }

  add(refusal: Refusal, nowMs: number, lengthMax: number): void {
    const at = this.entries.slice(0, SAME_SEARCHED_MAX).findIndex(entry => isSame(entry, refusal, nowMs))
    const entry = at >= 0 ? this.entries.splice(at, 1)[0] : this.made(refusal, nowMs)
    entry.count++
    entry.clientInfo = refusal.clientInfo
    entry.updatedMs = nowMs
    this.entries.unshift(entry)
    if (this.entries.length > lengthMax) this.entries.length = lengthMax
  }

  private made(refusal: Refusal, nowMs: number): AclLogEntry {
    return { ...refusal, id: this.nextId++, count: 0, createdMs: nowMs, updatedMs: nowMs }
  }
}

function isSame(entry: AclLogEntry, refusal: Refusal, nowMs: number): boolean {
  return (
    entry.reason === refusal.reason &&
    entry.context === refusal.context &&
    entry.object === refusal.object &&
    entry.username === refusal.username &&
    nowMs - entry.updatedMs <= SAME_MS_MAX
  )
}
