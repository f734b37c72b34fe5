// Scripts: the cache of the scripts of EVAL and SCRIPT LOAD, by SHA1 digest.
//
//   buckets    first eight hex digits as an integer ─▶ scripts with that prefix (one, in practice)
//   compiled   ring of the scripts with a program; when it is full, the hand passes over those that ran since it was
//              there last, and the next one is compiled again when it runs
//
// Always: a script stays cached until SCRIPT FLUSH, or until an image is restored; digests are case-insensitive, and a
// lookup allocates nothing. A program takes a hundred times the memory of a short text, so that their number has a
// limit.

import type { Outcome, ScriptCache, ScriptsImage } from '../engine/ports/scripting.ts'
import { Sha1 } from '../lib/sha1.ts'
import { Slice } from '../lib/slice.ts'
import { RecentTexts } from './recent-texts.ts'
import { ENGINE_BYTES, type Program, type Runnable, type ScriptEngine } from './script-engine.ts'
import { readScriptHead } from './scripts-shebang.ts'

const DIGEST_CHARS = 40
const LOWER = 0x20202020
const SCRIPT_BYTES = 320
const COMPILED_MAX = 1024
/** The program of a script that is to be compiled again. */
const NO_PROGRAM: Program = {}

interface CachedScript extends Runnable {
  program: Program
  /** It ran since the hand of the ring was there last. */
  isUsed: boolean
  readonly code: string
  /** Where its digest is in `digests`. */
  readonly digestAt: number
}

export class Scripts implements ScriptCache {
  size = 0
  private made: ScriptEngine | undefined
  private readonly makeEngine: () => ScriptEngine
  private readonly buckets = new Map<number, CachedScript[]>()
  private bytes = 0
  /** Memory of programs that the garbage collector can free, ever. */
  droppedBytes = 0
  /** The digests of all scripts, DIGEST_CHARS each. */
  private digests = newDigests(64)
  private readonly compiled: CachedScript[] = []
  private hand = 0
  private flushes = 0
  private readonly sha1 = new Sha1()
  private readonly digest = new Uint8Array(20)
  private readonly recent = new RecentTexts<CachedScript>()
  private readonly digestText = new Slice(new Uint8Array(DIGEST_CHARS), 0, DIGEST_CHARS)

  /** `makeEngine` creates an interpreter, at first use and at the first after each flush. */
  constructor(makeEngine: () => ScriptEngine) {
    this.makeEngine = makeEngine
  }

  get interpreter(): ScriptEngine {
    this.made ??= this.makeEngine()
    return this.made
  }

  get memoryBytes(): number {
    return this.bytes + this.size * SCRIPT_BYTES
  }

  get interpreterBytes(): number {
    return this.made?.memoryBytes ?? ENGINE_BYTES
  }

  find(digest: Slice): CachedScript | undefined {
    if (digest.len !== DIGEST_CHARS) return undefined
    const bucket = this.buckets.get(digest.dv.getInt32(digest.off, true) | LOWER)
    if (bucket === undefined) return undefined
    for (const script of bucket) if (sameDigest(digest, this.digests, script.digestAt)) return script
    return undefined
  }

  findBody(body: Slice): CachedScript | undefined {
    return this.recent.find(body) ?? this.findByDigest(body)
  }

  private findByDigest(body: Slice): CachedScript | undefined {
    const script = this.find(this.digestOf(body))
    if (script !== undefined) this.recent.set(body, script)
    return script
  }

  has(digest: Slice): boolean {
    return this.find(digest) !== undefined
  }

  load(body: Slice): Outcome {
    const script = this.loadBody(body)
    return typeof script === 'string' ? { error: script } : { text: script.name }
  }

  /** The script of this text, compiled and cached if it is new. A string is a compile error. */
  loadBody(body: Slice): CachedScript | string {
    return this.findBody(body) ?? this.add(body, this.digestText)
  }

  /** Readies a script to run: compiles it, unless its program is still there. */
  prepare(script: CachedScript): Runnable {
    script.isUsed = true
    if (script.program === NO_PROGRAM) {
      const program = this.interpreter.compile(script.code)
      if (typeof program === 'string') throw new Error(`a script that compiled before does not now: ${program}`)
      script.program = program
      this.addCompiled(script)
    }
    return script
  }

  private addCompiled(script: CachedScript): void {
    const { compiled } = this
    if (compiled.length < COMPILED_MAX) {
      compiled.push(script)
      return
    }
    while (compiled[this.hand].isUsed) {
      compiled[this.hand].isUsed = false
      this.hand = (this.hand + 1) % COMPILED_MAX
    }
    const old = compiled[this.hand]
    old.program = NO_PROGRAM
    const { interpreter } = this
    const { memoryBytes } = interpreter
    interpreter.dropped(old.code)
    this.droppedBytes += memoryBytes - interpreter.memoryBytes
    compiled[this.hand] = script
    this.hand = (this.hand + 1) % COMPILED_MAX
  }

  flush(): void {
    this.buckets.clear()
    this.recent.clear()
    this.compiled.length = this.hand = 0
    this.digests = newDigests(64)
    this.droppedBytes += this.made?.memoryBytes ?? 0
    this.size = this.bytes = 0
    this.made = undefined
    this.flushes++
  }

  image(): ScriptsImage {
    const scripts = [...this.buckets.values()].flat().sort((a, b) => a.digestAt - b.digestAt)
    return { of: this, flushes: this.flushes, scripts, bytes: this.bytes }
  }

  /** The cache becomes as it was; a program that it does not have is compiled when it runs. */
  restore({ of, flushes, scripts, bytes }: ScriptsImage): void {
    const hasThem = of === this && flushes === this.flushes
    if (hasThem && scripts.length === this.size) return
    if (hasThem) this.forgetFrom(scripts.length)
    else {
      if (this.size > 0) this.flush()
      for (const { name, flags, code } of scripts) {
        const digestAt = this.addDigest(Slice.of(name))
        const engine = this.interpreter
        this.file({ name, isFunction: false, engine, program: NO_PROGRAM, flags, isUsed: false, code, digestAt })
      }
    }
    this.bytes = bytes
  }

  /** Forgets the scripts after the first `count`. */
  private forgetFrom(count: number): void {
    this.recent.clear()
    const isOld = ({ digestAt }: CachedScript) => digestAt < count * DIGEST_CHARS
    for (const [key, bucket] of this.buckets) {
      const left = bucket.filter(isOld)
      if (left.length === 0) this.buckets.delete(key)
      else this.buckets.set(key, left)
    }
    const gone = this.compiled.filter(script => !isOld(script))
    for (const { code } of gone) this.interpreter.dropped(code)
    const left = this.compiled.filter(isOld)
    this.compiled.splice(0, this.compiled.length, ...left)
    this.hand = 0
    this.size = count
  }

  private file(script: CachedScript): void {
    const key = this.digests.getInt32(script.digestAt, true) | LOWER
    const bucket = this.buckets.get(key)
    if (bucket === undefined) this.buckets.set(key, [script])
    else bucket.push(script)
    this.size++
  }

  /** `digest`: that of `body`, from digestOf(). */
  private add(body: Slice, digest: Slice): CachedScript | string {
    const text = body.latin1()
    const head = readScriptHead(text)
    if (typeof head === 'string') return head
    const code = text.slice(head.codeFrom)
    const engine = this.interpreter
    const program = engine.compile(code)
    if (typeof program === 'string') return `Error compiling script (new function): ${program}`
    const digestAt = this.addDigest(digest)
    const script: CachedScript = {
      name: digest.latin1(),
      isFunction: false,
      engine,
      program,
      flags: head.flags,
      isUsed: false,
      code,
      digestAt,
    }
    this.addCompiled(script)
    this.file(script)
    this.bytes += body.len + DIGEST_CHARS
    return script
  }

  /** Appends a digest to the others. */
  private addDigest(digest: Slice): number {
    const at = this.size * DIGEST_CHARS
    if (at === this.digests.byteLength) {
      const grown = newDigests(this.size * 2)
      new Uint8Array(grown.buffer).set(new Uint8Array(this.digests.buffer))
      this.digests = grown
    }
    new Uint8Array(this.digests.buffer).set(digest.u8, at)
    return at
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

function newDigests(count: number): DataView {
  return new DataView(new ArrayBuffer(count * DIGEST_CHARS))
}

/** At `at` is a lower-case digest. */
function sameDigest(given: Slice, lower: DataView, at: number): boolean {
  const a = given.dv
  let i = 0
  while (i < DIGEST_CHARS && a.getInt32(given.off + i, true) === lower.getInt32(at + i, true)) i += 4
  for (; i < DIGEST_CHARS; i++) {
    const byte = given.u8[given.off + i]
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lower.getUint8(at + i)) return false
  }
  return true
}
