/** A start that failed for a reason the operator can fix: the lines are logged, the exit code is 1. */
export class StartFailure extends Error {
  readonly lines: readonly string[]
  constructor(...lines: string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}
