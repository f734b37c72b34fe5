// Lists of functions that are called for something that happens.

/** Adds a hook to a list, once, or removes it. */
export function putHook<Hook>(list: Hook[], hook: Hook, wanted: boolean): void {
  const at = list.indexOf(hook)
  if (wanted && at < 0) list.push(hook)
  else if (!wanted && at >= 0) list.splice(at, 1)
}
