// Scripts: the cache of compiled scripts of EVAL and SCRIPT LOAD, by SHA1 digest.
//
//   buckets   first eight hex digits as an integer ─▶ scripts with that prefix (one, in practice)
//
// Always: a script stays cached until SCRIPT FLUSH; digests are case-insensitive, and a lookup allocates nothing.

import type { Outcome, ScriptCache } from '../engine/ports/scripting.ts'
import { Sha1 } from '../lib/sha1.ts'
import { Slice } from '../lib/slice.ts'
import type { Runnable, ScriptEngine } from './script-engine.ts'
import { readScriptHead } from './scripts-shebang.ts'

const DIGEST_CHARS = 40
const LOWER = 0x20202020
const SCRIPT_BYTES = 160

interface CachedScript extends Runnable {
  readonly digestBytes: Slice
  readonly bodyBytes: number
}

export class Scripts implements ScriptCache {
  size = 0
  private engine: ScriptEngine
  private readonly makeEngine: () => ScriptEngine
  private readonly buckets = new Map<number, CachedScript[]>()
  private bytes = 0
  private readonly sha1 = new Sha1()
  private readonly digest = new Uint8Array(20)
  private readonly digestText = new Slice(new Uint8Array(DIGEST_CHARS), 0, DIGEST_CHARS)

  /** `makeEngine` creates an interpreter, now and after each flush. */
  constructor(makeEngine: () => ScriptEngine) {
    this.makeEngine = makeEngine
    this.engine = makeEngine()
  }

  get interpreter(): ScriptEngine {
    return this.engine
  }

  get memoryBytes(): number {
    return this.bytes + this.size * SCRIPT_BYTES
  }

  get interpreterBytes(): number {
    return this.engine.memoryBytes
  }

  find(digest: Slice): CachedScript | undefined {
    if (digest.len !== DIGEST_CHARS) return undefined
    const bucket = this.buckets.get(digest.dv.getInt32(digest.off, true) | LOWER)
    if (bucket === undefined) return undefined
    for (const script of bucket) if (sameDigest(digest, script.digestBytes)) return script
    return undefined
  }

  findBody(body: Slice): CachedScript | undefined {
    return this.find(this.digestOf(body))
  }

  has(digest: Slice): boolean {
    return this.find(digest) !== undefined
  }

  load(body: Slice): Outcome {
    const script = this.findBody(body) ?? this.add(body)
    return typeof script === 'string' ? { error: script } : { text: script.name }
  }

  /** The script of this text, compiled and cached if it is new. A string is a compile error. */
  loadBody(body: Slice): CachedScript | string {
    return this.findBody(body) ?? this.add(body)
  }

  flush(): void {
    this.buckets.clear()
    this.size = this.bytes = 0
    this.engine = this.makeEngine()
  }

  private add(body: Slice): CachedScript | string {
    const digest = this.digestOf(body).latin1()
    const text = body.latin1()
    const head = readScriptHead(text)
    if (typeof head === 'string') return head
    const program = this.engine.compile(text.slice(head.codeFrom))
    if (typeof program === 'string') return `Error compiling script (new function): ${program}`
    const digestBytes = Slice.of(digest)
    const { engine } = this
    const script: CachedScript = {
      name: digest,
      isFunction: false,
      engine,
      program,
      flags: head.flags,
      digestBytes,
      bodyBytes: body.len,
    }
    const key = digestBytes.dv.getInt32(0, true) | LOWER
    const bucket = this.buckets.get(key)
    if (bucket === undefined) this.buckets.set(key, [script])
    else bucket.push(script)
    this.size++
    this.bytes += body.len + DIGEST_CHARS
    return script
  }

  /** Valid until the next call. */
  private digestOf(body: Slice): Slice {
    this.sha1
      .reset()
      .update(body.u8, body.off, body.off + body.len)
      .digestInto(this.digest)
    const { u8 } = this.digestText
    for (let i = 0; i < this.digest.length; i++) {
      u8[i * 2] = hexDigit(this.digest[i] >> 4)
      u8[i * 2 + 1] = hexDigit(this.digest[i] & 15)
    }
    return this.digestText
  }
}

function hexDigit(n: number): number {
  return n < 10 ? 48 + n : 87 + n
}

/** `lower` is a lower-case digest. */
function sameDigest(given: Slice, lower: Slice): boolean {
  const a = given.dv
  const b = lower.dv
  let i = 0
  while (i < DIGEST_CHARS && a.getInt32(given.off + i, true) === b.getInt32(i, true)) i += 4
  for (; i < DIGEST_CHARS; i++) {
    const byte = given.u8[given.off + i]
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lower.u8[i]) return false
  }
  return true
}
