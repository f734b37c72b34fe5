// Checks the syntax of an AOF file's commands, and that every MULTI has its EXEC; the commands are not interpreted.
// Arguments are skipped, not stored: memory is limited to one window however long they are.
//
//   #TS:… ─┐
//   *3 ────┴▶ command ─▶ MULTI opens a group ─▶ … ─▶ EXEC closes it
//                  └──── after it, outside of a group: validUpTo

import { CR, DOLLAR, LF, STAR, ZERO } from '../../lib/ascii.ts'
import { ANNOTATION_BYTES_MAX, HASH } from '../../persistence/aof/format.ts'
import type { FileSystem } from '../../system/system.ts'
import type { AofFindings } from './findings.ts'

const WINDOW_BYTES = 1 << 20
const PROGRESS_BYTES = 4 << 20
/** The length of MULTI. */
const WORD_BYTES_MAX = 5
const DIGITS_MAX = 15
const ENDED = 'The file ends in the middle of a command.'

class Malformed extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** A window that advances over the file. */
class Window {
  private readonly u8 = new Uint8Array(WINDOW_BYTES)
  private readonly disk: FileSystem
  private readonly fd: number
  private at = 0
  private end = 0
  /** File offset of u8[end]. */
  private readTo: number

  constructor(disk: FileSystem, fd: number, from: number) {
    this.disk = disk
    this.fd = fd
    this.readTo = from
  }

  get offset(): number {
    return this.readTo - (this.end - this.at)
  }

  /** The next byte, without consuming it; -1 at the end of the file. */
  peek(): number {
    return this.at < this.end || this.fill() ? this.u8[this.at] : -1
  }

  private fill(): boolean {
    this.at = 0
    this.end = this.disk.read(this.fd, this.u8, 0, this.u8.length, this.readTo)
    this.readTo += this.end
    return this.end > 0
  }

  /** The next byte. */
  take(): number {
    if (this.at === this.end && !this.fill()) throw new Malformed(ENDED, this.offset)
    return this.u8[this.at++]
  }

  /** Skips a type byte and reads the integer and the line break after it. */
  figure(): number {
    const start = this.offset
    this.take()
    let n = 0
    for (let digits = 0; digits <= DIGITS_MAX; digits++) {
      const byte = this.take()
      if (byte === CR && digits > 0 && this.take() === LF) return n
      if (byte < ZERO || byte > ZERO + 9) break
      n = n * 10 + byte - ZERO
    }
    throw new Malformed('A whole number and a line end are missing.', start)
  }

  skip(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      if (this.peek() < 0) throw new Malformed(ENDED, this.offset)
      const step = Math.min(left, this.end - this.at)
      this.at += step
      left -= step
    }
  }

  /** Text up to a line feed, which is skipped. `ended`: the message when the file ends before it. */
  line(bytesMax: number, ended: string): string {
    const start = this.offset
    let text = ''
    for (;;) {
      if (this.peek() < 0) throw new Malformed(ended, this.offset)
      const byte = this.take()
      if (byte === LF) return text
      if (text.length >= bytesMax) throw new Malformed('A line does not end.', start)
      text += String.fromCharCode(byte)
    }
  }

  lineEnd(): void {
    const start = this.offset
    if (this.take() !== CR || this.take() !== LF)
      throw new Malformed('An argument is longer or shorter than its length says.', start)
  }
}

class AofChecker {
  readonly findings: AofFindings
  private readonly window: Window
  private readonly untilSeconds: number
  private inGroup = false

  constructor(disk: FileSystem, fd: number, from: number, untilSeconds: number) {
    this.window = new Window(disk, fd, from)
    this.untilSeconds = untilSeconds
    this.findings = {
      commands: 0,
      groups: 0,
      firstSeconds: -1,
      lastSeconds: -1,
      sizeBytes: disk.fstat(fd).sizeBytes,
      validUpTo: from,
      laterAt: -1,
    }
  }

  run(progress: (offset: number) => void): AofFindings {
    const { findings, window } = this
    let reportAt = window.offset + PROGRESS_BYTES
    try {
      while (findings.laterAt < 0 && this.next()) {
        if (!this.inGroup && findings.laterAt < 0) findings.validUpTo = window.offset
        if (window.offset < reportAt) continue
        reportAt = window.offset + PROGRESS_BYTES
        progress(window.offset)
      }
      if (this.inGroup && findings.laterAt < 0)
        throw new Malformed('The file ends before the EXEC of a MULTI.', window.offset)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      findings.fault = { offset: error.offset, message: error.message }
    }
    return findings
  }

  private next(): boolean {
    const { window } = this
    const byte = window.peek()
    if (byte < 0) return false
    if (byte === HASH) this.annotation()
    else if (byte === STAR) this.command()
    else if (byte === 0) throw new Malformed('Zeros stand where a command must: a write was torn.', window.offset)
    else throw new Malformed(`A command must begin with '*', not with ${charText(byte)}.`, window.offset)
    return true
  }

  private annotation(): void {
    const { window, findings } = this
    const at = window.offset
    const text = window.line(ANNOTATION_BYTES_MAX, 'The file ends in the middle of an annotation.')
    if (!text.startsWith('#TS:')) return
    const digits = /^#TS:([0-9]{1,15})\r$/.exec(text)?.[1]
    if (digits === undefined) {
      // It only matters with --truncate-to-timestamp.
      if (this.untilSeconds >= 0) throw new Malformed('A time is no whole number.', at)
      return
    }
    const seconds = Number(digits)
    if (this.untilSeconds >= 0 && seconds > this.untilSeconds) {
      findings.laterAt = this.inGroup ? findings.validUpTo : at
      return
    }
    if (findings.firstSeconds < 0) findings.firstSeconds = seconds
    findings.lastSeconds = seconds
  }

  private command(): void {
    const { window, findings } = this
    const at = window.offset
    const argc = window.figure()
    if (argc === 0) throw new Malformed('A command has no name.', at)
    let name = ''
    for (let i = 0; i < argc; i++) {
      const text = this.argument(i === 0)
      if (i === 0) name = text
    }
    if (name === 'multi') {
      if (this.inGroup) throw new Malformed('There is a MULTI inside of a MULTI.', at)
      this.inGroup = true
    } else if (name === 'exec') {
      if (!this.inGroup) throw new Malformed('There is an EXEC without a MULTI.', at)
      this.inGroup = false
      findings.groups++
    } else findings.commands++
  }

  /** Skips an argument; its text in lower case when it is `wanted` and short. */
  private argument(wanted: boolean): string {
    const { window } = this
    const at = window.offset
    const byte = window.peek()
    if (byte >= 0 && byte !== DOLLAR)
      throw new Malformed(`An argument must begin with '$', not with ${charText(byte)}.`, at)
    const bytes = window.figure()
    if (bytes > this.findings.sizeBytes) throw new Malformed(`An argument claims to have ${bytes} bytes.`, at)
    let text = ''
    if (wanted && bytes <= WORD_BYTES_MAX)
      while (text.length < bytes) text += String.fromCharCode(window.take()).toLowerCase()
    else window.skip(bytes)
    window.lineEnd()
    return text
  }
}

function charText(byte: number): string {
  return byte > 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).padStart(2, '0')}`
}

/**
 * Checks the commands in the open file `fd` from offset `from`; with `untilSeconds` (Unix time; -1: no limit) only up
 * to the first later annotation. Throws DiskError.
 */
export function checkAof(
  disk: FileSystem,
  fd: number,
  from: number,
  untilSeconds: number,
  progress: (offset: number) => void,
): AofFindings {
  return new AofChecker(disk, fd, from, untilSeconds).run(progress)
}
