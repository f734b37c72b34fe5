print(pcall(error, 1, 5))
print(pcall(error, 1, 2))
local function f()
  for level = 0, 8 do print(level, pcall(error, "x", level)) end
  return 1
end
print(f())
local function g() return f() end
print(pcall(g))
print(coroutine.resume(coroutine.create(g)))
local function h() return pcall(error, "y", 3) end
print(h())
--== a handler of errors gets its own ones
local n = 0
print(xpcall(function() error("x") end, function(e) n = n + 1 print(e) error("again") end)) print(n)
--==
local n = 0
print(xpcall(function() error("x") end, function(e) n = n + 1 if n == 5 then return "five", e end error("again") end)) print(n)
--==
local n = 0
print(xpcall(function() error("x") end, function(e) n = n + 1 return 1 + nil end)) print(n)
--==
print(xpcall(error, error))
--==
print(xpcall(function() error("x") end, function(e) coroutine.yield(e) end))
--==
local function f() return f() + 1 end
print(xpcall(f, function(e) print(type(e)) return "handled" end))
print(xpcall(f, function(e) local function g() return g() + 1 end print(pcall(g)) return "handled" end))
--== the reader of load fails under a handler
local function handler(e) print("handler", e) return "handled" end
print(xpcall(function() print(load(function() error("in reader") end)) error("x") end, handler))
print(xpcall(function() print(load(function() return {} end)) end, handler))
print(xpcall(function() print(load(function() error("in reader") end)) end, nil))
print(xpcall(function() print(pcall(load, function() error("in reader") end)) end, handler))
print(xpcall(function() print(coroutine.wrap(function() return load(function() error("in reader") end) end)()) end, handler))
print(xpcall(function() print(pcall(error, "inner")) print(load(function() error("in reader") end)) end, handler))
print(xpcall(function() xpcall(error, print) print(load(function() error("in reader") end)) end, handler))
print(xpcall(function() print(loadstring("x x x")) end, handler))
--== what is at fault comes from a metatable
local a = setmetatable({}, {__index = 5, __newindex = true})
print(pcall(function() return a.x end))
print(pcall(function() a.x = 1 end))
print(pcall(function() return a.x.y end))
print(pcall(function() return a:x() end))
print(pcall(function() local b = a return b[1] end))
print(pcall(function() return setmetatable({}, {__index = a}).z end))
--== loops begin one step back
for i = 7, 1e300, 1e300 do print(i) end
for i = 3, 1/0, 1/0 do print(i) break end
for i = 3, 10, 1/0 do print(i) break end
for i = -0, 1 do print(i) break end
for i = 0.1, 1 do print(string.format("%.17g", i)) end
for i = 0.1, 0.5, 0.1 do print(string.format("%.17g", i)) end
for i = 1, 10, 3.7 do print(string.format("%.17g", i)) end
for i = 1.1, 10, 1e15 do print(string.format("%.17g", i)) end
local from, step = 0.1, 1 for i = from, 2, step do print(string.format("%.17g", i)) end
--== one call too many for print
local t = setmetatable({}, {__index = function(t, k) print("index", k) return t[k .. "x"] end})
print(t.a)
--== a handler above a host function
local o o = setmetatable({}, {__tostring = function(x) return error(x) end})
local n = 0
print(xpcall(function() return tostring(o) end, function(e) n = n + 1 if type(e) == "string" then return e end return tostring(e) end)) print(n)
print(xpcall(function() error("x") end, function(e) if e == "prog:5: x" then error("y", 2) end return e end))
print(xpcall(function() local x = nil + 1 end, function(e) if e:find("arith") then error("y", 2) end return e end))
print(xpcall(function() string.rep() end, function(e) if e:find("rep") then error("y", 2) end return e end))
print(xpcall(function() string.rep() end, function(e) if e:find("rep") then error("y", 3) end return e end))
print(xpcall(function() local x = y.z end, function(e) if e:find("y") then error("w", 3) end return e end))
--== an iterator that calls itself
local function f(x) for k in f, x do return k end end
print(pcall(f))
local t = setmetatable({}, {}) getmetatable(t).__call = function(x) for k in x, x do return k end end
print(pcall(t))
--==
print(pcall(math.ldexp, nil, nil))
print(pcall(math.ldexp))
--== an error that cannot be printed
error(setmetatable({}, {__tostring = function(x) error({}) end}))
--== load asks again where there seems to be nothing
local n = 0
print(load(function() n = n + 1 end)) print(n)
local f = load(function() n = n + 1 if n == 4 then return "return 1" end end) print(f()) print(n)
local function reader() return load(function() string.rep() end) end
print(xpcall(function() print(load(reader)) end, function(e) print("handler", e) return e end))
--== tail calls of functions that are under way
local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end return "end" end)
local function deep(n) if n == 0 then return pcall(function() local s = "" for i = 1, 200 do s = s .. i end error("deep", 1) end) end return (deep(n - 1)) end
local function tails(n) if n == 0 then return pcall(deep, 80) end return tails(n - 1) end
for i = 55, 75 do print(i, tails(i)) print(pcall(tails, i)) end
local t = setmetatable({}, {__add = function(a, b) return tails(b) end})
for i = 1, 130 do local function down(n) if n == 0 then return (t + 3) end return (down(n - 1)) end print(i, down(i)) end
--==
local function loop(n) if n == 0 then return pcall(function() error("here", 2) end) end local r, e = loop(n - 1) return r, e end
for i = 1, 140 do local function down(n) if n == 0 then return pcall(loop, 160) end return (down(n - 1)) end print(i, down(i)) end
local function inner(n) if n == 0 then error("bottom", 3) end return (inner(n - 1)) end
for i = 1, 140 do local function down(n) if n == 0 then return pcall(inner, 160) end return down(n - 1) end print(i, down(i)) end
--== which argument is at fault
for _, f in ipairs{"atan2", "fmod", "pow", "mod", "ldexp", "max", "min", "modf"} do
  print(f, pcall(math[f])) print(f, pcall(math[f], nil, nil)) print(f, pcall(math[f], 1)) print(f, pcall(math[f], nil, 1))
end
--== a protected call under way, tail called by a metamethod
local function fail(x) return x + nil end
local function count(x) local t = {fail(x)} return #t end
local function try(x) return xpcall(function() count(x) end, function(e) return type(e), e end) end
print(pcall(pcall, function() return setmetatable({}, {__add = try}) + 1 end, true))
--== constants far off, and constants that are negated
for _, n in ipairs{190, 195, 196, 197, 198, 199, 200, 201} do print(n, loadstring("if a then " .. string.rep("elseif a then ", n) .. " end")) print(n, loadstring(string.rep("while a do ", n) .. string.rep(" end", n))) print(n, loadstring(string.rep("repeat ", n) .. string.rep(" until a", n))) print(n, loadstring("return " .. string.rep("a(", n) .. string.rep(")", n))) print(n, loadstring("return " .. string.rep("a[", n) .. "1" .. string.rep("]", n))) print(n, loadstring("return " .. string.rep("-", n))) print(n, loadstring("return " .. string.rep("function() return ", n) .. "1" .. string.rep(" end", n))) end
--==
-- constants beyond 255, and what their users are called
local t = {} for i = 1, 300 do t[i] = "x" .. i .. " = " .. i end
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local a = u.k1.k2") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local a = u.k1()") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local a = u:k1()") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 u.k1 = 1 + u") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local w = u.k1 + 1") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local w = u.k1 .. 'zzz'") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u, v = {} , 1 local w = 5 + 'zzz'") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local w = ('q').z.y") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " undefinedglobal.k2 = 3") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " undefinedglobal()") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} u.k1.k2 = 3") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} u.k1.k2.k3 = 3") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} return -u.k1") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} return #u.k1") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} return u.k1 < 3") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} u['k' .. 1]()") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} u[777]()") setfenv(f, {}) print(pcall(f))
local f = loadstring(table.concat(t, " ") .. " local u = {} local r = u[777] + 1") setfenv(f, {}) print(pcall(f))
local t = {}
print(pcall(function() return -((not nil) and t.count) end))
print(pcall(function() return -((not false) and t.count) end))
print(pcall(function() return -((not 1) or t.count) end))
print(pcall(function() return -((not nil) or t.count) end))
print(pcall(function() return -((not not 1) and t.count) end))
print(pcall(function() return -((not t) or t.count) end))
print(pcall(function() return -((not 1) and t.count) end))
print(pcall(function() return -(false and t.count) end))
print(pcall(function() return -(nil and t.count) end))
print(pcall(function() return -((not {}) or t.count) end))
print(pcall(function() return -((not (nil or 1)) or t.count) end))
print(pcall(collectgarbage, "7", "x")) print(pcall(collectgarbage, "count", "x")) print(pcall(collectgarbage, "collect", {}))
--== a zero that leaves no code
print(-0 and 0 .. "")
print((1 and -0) and 0 .. "", -0 or 0)
if -0 and 0 == 0 then print(0, -0) end
--==
print(nil or 0, false or -0, (nil or -0) and 0)
print(not 0 and -0, not nil and 0)
--==
print(-0 or 0, 0)
--== what C takes for the end of a text
print(pcall(error, "a\0b"))
print(pcall(function() error("a\0b") end))
print(pcall(function() error("a\0b", 2) end))
print(pcall(assert, false, "a\0b"))
print(pcall(function() assert(false, "a\0b") end))
print(pcall(function() assert(nil, "\0xyz") end))
print(loadstring("x\0y z", "na\0me"))
print(pcall(string.format, "%d\0%y", 1))
print(loadstring("x = 'a\0b' 'c\0d' y"))
print(pcall(coroutine.wrap(function() error("a\0b") end)))
print(pcall(setmetatable, {}, "a\0b"))
print(pcall(collectgarbage, "col\0lect"))
print(pcall(function() local t = {} t["a\0b"].c = 1 end))
print(pcall(function() local t = {} t["a\0b"]() end))
print(pcall(function() local t = {} return 1 + t["a\0b"] end))
print(pcall(string.format, "%s", "a\0b"), #string.format("%s", "a\0b"), #string.format("%5s", "a\0b"), #string.format("%q", "a\0b"))
print(pcall(string.rep, "a\0b", "x\0"))
print(pcall(tonumber, "10\0"), tonumber("1\0", 16), "1\0" + 1)
print(loadstring("x = \0"))
print(loadstring("\0"))
print(loadstring("f(\0)"))
print(loadstring("for \0 = 1, 2 do end"))
print(loadstring("local \0"))
print(loadstring("x = 1 \0 y = 2"))
print(loadstring("x = \1"))
print(loadstring("x = 'a' \127"))
print(loadstring("x = \200"))
print(loadstring("function f( end \0"))
print(loadstring("do \n\n x = 1 \0"))
print(loadstring("x = [[\0]] \0"))
print(loadstring("x = \"\0"))
print(loadstring("x = 1\0"))
print(loadstring("goto x"))
print(loadstring("x = 5\0.x"))
print(loadstring("return 5\0abc")) print(loadstring("return 5\0abc")())
print(loadstring("return 5\0\0abc .. 1")())
print(loadstring("return 5\0-3")())
print(loadstring("return 5\0\0\0"))
print(loadstring("return 5e\0003")) print(loadstring("return 5e\0"))
--== environments by level
local function show(...) print(select("#", ...), ...) end
for i = 0, 12 do show(i, pcall(getfenv, i)) end
local function f() for i = 0, 12 do show(i, pcall(getfenv, i)) end end
local function g() return f() end
f() g()
local function h() return pcall(getfenv, 2) end
show(h())
local function k() return h() end show(k()) show(pcall(k))
local function a() return getfenv(2) end local function b() return a() end show(pcall(b)) show(pcall(a))
local function c() return setfenv(2, {}) end local function d() return c() end show(pcall(d))
local function c() local x = setfenv(2, {}) return x end local function d() return c() end show(pcall(d))
local function c() local x = getfenv(3) return x end local function d() return c() end show(pcall(d))
coroutine.wrap(function() for i = 0, 4 do show(i, pcall(getfenv, i)) end end)()
print(pcall(getfenv, 0.5)) print(pcall(getfenv, "0")) print(pcall(setfenv, 0.5, {})) print(pcall(getfenv, -0.5)) print(pcall(setfenv, 0.9, {}))
print(pcall(getfenv, "1")) print(pcall(getfenv, "x")) print(pcall(setfenv, "x", {})) print(pcall(getfenv, nil)) print(pcall(setfenv, nil, {})) print(pcall(getfenv, true))
print(pcall(setfenv, "0", setmetatable({}, {__index = getfenv()})))
--== a key that goes while a loop stands on it
local t = {x = 1, y = 2}
print(pcall(function() for k, v in pairs(t) do t[k] = nil for i = 1, 20 do t[i] = i end end end))
