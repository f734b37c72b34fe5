/** A start that failed for a reason the operator can fix: the lines are logged, and the process ends. */
export class StartFailure extends Error {
  readonly lines: readonly string[]
  exitCode = 1
  constructor(...lines: string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }

  /** The same for a dataset that cannot be loaded. */
  static of({ lines, exitCode }: { lines: readonly string[]; exitCode: number }): StartFailure {
    const failure = new StartFailure(...lines)
    failure.exitCode = exitCode
    return failure
  }
}
