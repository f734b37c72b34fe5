-- Runs the programs of one corpus file, separated by lines of '--==', each with globals of its own, and prints what
-- they print and how they end. Addresses and the sign of NaN are taken out, they depend on the machine.
local source = ...
local realprint, G = print, _G
local function copy(t, seen)
  seen = seen or {}
  if seen[t] then return seen[t] end
  local c = {}
  seen[t] = c
  for k, v in pairs(t) do c[k] = type(v) == "table" and copy(v, seen) or v end
  return c
end
local function clean(s)
  s = string.gsub(s, "0x%x+", "0xADDR")
  s = string.gsub(s, "%-nan", "nan")
  s = string.gsub(s, "%z", "\\0")
  return s
end
local n = 0
for program in string.gmatch(source .. "\n--==\n", "(.-)\n%-%-==[^\n]*\n") do
  n = n + 1
  local env = copy(G)
  env.print = function(...)
    local line = {}
    for i = 1, select("#", ...) do line[i] = tostring((select(i, ...))) end
    realprint((clean(table.concat(line, "\t"))))
  end
  realprint("== " .. n)
  local f, message = loadstring(program, "=prog")
  if not f then
    realprint("syntax: " .. clean(message))
  else
    setfenv(f, env)
    local co = coroutine.create(function() return pcall(f) end)
    local function finish(resumed, ok, ...)
      if resumed and ok then return end
      local _, message = pcall(tostring, resumed and (...) or ok)
      realprint("error: " .. (type(message) == "string" and clean(message) or type(message)))
    end
    finish(coroutine.resume(co))
  end
end
