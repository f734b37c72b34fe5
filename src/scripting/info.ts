// The scripting figures of INFO.

import type { InfoSource } from '../engine/monitoring/info.ts'
import type { ScriptManager } from './scripting.ts'

/** `human`: formats bytes for the *_human fields. */
export function scriptingInfo({ scripts, functions }: ScriptManager, human: (bytes: number) => string): InfoSource {
  const vmBytes = () => scripts.interpreterBytes + functions.interpreterBytes
  const cacheBytes = () => scripts.memoryBytes + functions.memoryBytes
  return {
    section: 'memory',
    fields: {
      used_memory_lua: () => scripts.interpreterBytes,
      used_memory_vm_eval: () => scripts.interpreterBytes,
      used_memory_lua_human: () => human(scripts.interpreterBytes),
      used_memory_scripts_eval: () => scripts.memoryBytes,
      number_of_cached_scripts: () => scripts.size,
      number_of_functions: () => functions.functionCount,
      number_of_libraries: () => functions.libraryCount,
      used_memory_vm_functions: () => functions.interpreterBytes,
      used_memory_vm_total: vmBytes,
      used_memory_vm_total_human: () => human(vmBytes()),
      used_memory_functions: () => functions.memoryBytes,
      used_memory_scripts: cacheBytes,
      used_memory_scripts_human: () => human(cacheBytes()),
    },
  }
}
