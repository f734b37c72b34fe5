// The names by which `using` and `await using` end a value. Where a runtime lacks them (Jest's environments on Node
// 20), compilers of those statements agree on these.

export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')
