local x; x.y = 1
--==
local t = {} t.a.b.c = 1
--==
local t = {} print(t.a.b)
--==
undefinedvar.x = 1
--==
print(undefinedvar.x)
--==
undefinedfunction()
--==
local t = {} t.foo()
--==
local t = {} t:foo()
--==
local t = {a={}} t.a.b:foo()
--==
local s = "x" s:nomethod()
--==
local f f()
--==
(nil)()
--==
local t = {} t[1]()
--==
local t = {} t["x"]["y"]()
--==
local up; local function f() return up.x end f()
--==
local up; local function f() up() end f()
--==
local up; local function f() return up + 1 end f()
--==
print(1 + nil)
--==
print(nil + 1)
--==
local a = {} print(a + 1)
--==
local a = {} print(1 + a)
--==
local a = "abc" print(a + 1)
--==
print("abc" + 1)
--==
print("10" + 1, "0x10" * 2, " 5 " - 1)
--==
local t = {} print(t.x + 1)
--==
local t = {} print(1 - t.x)
--==
local t = {} print(t.x * t.y)
--==
print(gx + 1)
--==
print(-gx)
--==
local t = {} print(-t)
--==
print(-"2", -"abc")
--==
print(#nil)
--==
local n = 5 print(#n)
--==
print(#gx)
--==
local t = {} print(#t.x)
--==
print("a" .. nil)
--==
print("a" .. {})
--==
local t = {} print("a" .. t.x .. "b")
--==
local t = {} print(t.x .. "b")
--==
local t = {} print(1 .. 2 .. t)
--==
print(gx .. "a")
--==
local a, b = "x" print(a .. b)
--==
print({} < {})
--==
print({} < 1)
--==
print(1 < "2")
--==
print("2" > 1)
--==
print(nil > 1)
--==
print(nil <= 1)
--==
print(1 >= {})
--==
print(true < false)
--==
print(print < print)
--==
print(coroutine.create(function() end) < "x")
--==
for i = "a", 2 do end
--==
for i = 1, {} do end
--==
for i = 1, 2, nil do end
--==
for i = "1", "3", "1" do print(i) end
--==
for i = 1, 0, 0 do print("never") break end
--==
for x in nil do end
--==
for x in 5 do end
--==
local f for x in f do end
--==
for k in pairs(nil) do end
--==
for k in ipairs() do end
--==
for x in string.rep do end
--==
local t = setmetatable({}, {__call = function(self, s, c) if (c or 0) < 3 then return (c or 0) + 1 end end})
for x in t do print(x) end
--==
error("msg")
--==
error("msg", 0)
--==
error("msg", 1)
--==
error("msg", 2)
--==
local function f() error("lvl2", 2) end
f()
--==
local function f() error("lvl3", 3) end
local function g() f() end
g()
--==
error()
--==
error(nil)
--==
error({code = 5})
--==
error(setmetatable({}, {__tostring = function() return "custom" end}))
--==
error(42)
--==
error(42, 2)
--==
error(true)
--==
print(pcall(error, "x"))
--==
print(pcall(error, "x", 2))
--==
print(pcall(error))
--==
print(pcall(function() error("in", 1) end))
--==
print(pcall(function() error("in", 2) end))
--==
print(pcall(function() local x = nil; return x.y end))
--==
print(select(2, pcall(error, {1})) ~= nil)
--==
print(pcall())
--==
print(pcall(nil))
--==
print(pcall(5))
--==
print(xpcall(function() error("a") end, function(m) return "handled: " .. m end))
--==
print(xpcall(function() return 1, 2, 3 end, print))
--==
print(xpcall(function() error("a") end, function(m) error("b") end))
--==
print(xpcall(function() error("a") end, nil))
--==
print(xpcall(function() local x = nil + 1 end, function(m) return m, "second" end))
--==
print(xpcall(nil, function(m) return "h:" .. m end))
--==
print(xpcall(print))
--==
assert(false)
--==
assert(nil, "message")
--==
assert(false, {1})
--==
assert()
--==
print(assert(1, 2, 3))
--==
print(pcall(assert, false, nil))
--==
print(pcall(assert, nil, 55))
--==
local function f()
  return g()
end
function g()
  error("in tail", 2)
end
f()
--==
local function g() error("tail level 3", 3) end
local function f() return g() end
local function h() f() end
h()
--==
local t = {}
t[nil] = 1
--==
local t = {}
t[0/0] = 1
--==
print(({})[nil])
--==
rawset({}, nil, 1)
--==
local t = {[nil] = 1}
--==
print(rawget(nil, 1))
--==
print(string.rep())
--==
print(string.rep("x"))
--==
print(string.rep("x", {}))
--==
print(("x"):rep({}))
--==
print(("x").rep())
--==
local s = string.rep
print(s(nil))
--==
local t = {f = string.rep}
print(t.f())
--==
print(pcall(string.rep))
--==
print(pcall(string.rep, "x"))
--==
local r = string.rep
local function f() return r({}) end
print(f())
--==
print(tonumber())
--==
print(tostring())
--==
print(type())
--==
print(setmetatable(1, {}))
--==
print(setmetatable({}))
--==
print(setmetatable({}, 1))
--==
local t = setmetatable({}, {__metatable = "locked"})
print(getmetatable(t))
setmetatable(t, {})
--==
print(getmetatable("").__index == string, getmetatable(1), getmetatable(nil))
--==
next({}, "nokey")
--==
print(next({}))
print(next({10}))
print(next({10}, 1))
--==
print(select(0))
--==
print(select(-5, 1))
--==
print(select("x"))
--==
print(select(-1, 1, 2, 3))
print(select(2))
print(select("#"))
--==
print(unpack())
--==
print(unpack({}, 1, 1e7))
--==
print(unpack({1, 2, 3}, 2))
print(unpack({1, 2, 3}, 2, 5))
print(unpack({1, 2}, 2, 1))
--==
coroutine.yield(1)
--==
print(coroutine.resume(coroutine.create(function() error("oops") end)))
--==
print(coroutine.resume(coroutine.create(function() error({}) end)))
--==
print(coroutine.create(print))
--==
coroutine.wrap(function() error("in wrap") end)()
--==
coroutine.wrap(function() error({}) end)()
--==
local co = coroutine.wrap(function() return 1 end)
print(co()) print(co())
--==
print(coroutine.resume(5))
--==
print(coroutine.status(nil))
--==
local function rec() return rec() + 1 end
local ok, m = pcall(rec)
print(ok, m)
--==
local function rec(...) local t = {rec(...)} return t end
print(pcall(rec, 1))
--==
local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end
print(pcall(function() return t.x end))
--==
local t = setmetatable({}, {}) getmetatable(t).__index = t
print(pcall(function() return t.x end))
--==
local t = setmetatable({}, {}) getmetatable(t).__newindex = t
print(pcall(function() t.x = 1 end))
--==
local function f(n) return pcall(f, n) end
print(f(1))
--==
local function f(n) if n == 0 then return "bottom" end local ok, r = pcall(f, n - 1) return r end
print(f(100))
print(f(300))
--==
string.gsub("x", "x", function() error("in callback") end)
--==
string.gsub("x", "x", function() local y = nil; y() end)
--==
table.sort({3, 2, 1}, function(a, b) error("cmp") end)
--==
table.sort({3, "x", 1})
--==
table.sort({{}, {}})
--==
table.foreach({1}, function() error("fe") end)
--==
setmetatable({}, {__index = function(t, k) error("idx " .. k) end}).foo = 1
print(setmetatable({}, {__index = function(t, k) error("idx " .. k) end}).foo)
--==
print(#setmetatable({}, {__len = function() return 42 end}))
--==
local u = newproxy(true)
getmetatable(u).__len = function() return 42 end
print(pcall(function() return #u end))
--==
local a
local b = a.x
  .y
--==
local a = {}
local b = a.x
  .y
--==
foo(
  bar
)
--==
print(
  nil ..
  "x"
)
--==
local t = {}
t.x.y
 =
 1
--==
local f = function(a,
  b)
  return a
   +
   b
end
f(1)
--==
local t = {
  1,
  nil + 1,
  2
}
--==
print(string.format("%d", "x"))
--==
print(("x"):bad())
--==
local a = 5
a.b = 1
--==
local a = 5
print(a.b.c)
--==
local a = true
print(a.b)
--==
print((5).x)
--==
print(("abc").x)
--==
print(("abc").x.y)
--==
string.x.y = 1
--==
local s = "x"
s.y = 1
--==
getfenv(0).zzz = 1
print(zzz, _G.zzz)
--==
local t = {}
local mt = {__index = function(t, k) return k .. "!" end, __newindex = function(t, k, v) rawset(t, k, v * 2) end}
setmetatable(t, mt)
t.a = 5
print(t.a, t.b)
t.a = 6
print(t.a)
--==
local a = nil
local b = (a or undefinedglobal).x
--==
local t = {} local b = (t.a and t.b).x
--==
local t = {}
local k = "name"
print(t[k].x)
--==
local t = {}
print(t[1].x)
--==
local t = {}
print(t[1][2].x)
--==
local t = {}
t[1].x = 5
--==
local t = {}
t:x():y()
--==
local function f() end
f().x = 1
--==
local function f() end
print(f().x)
--==
local function f() end
f()()
--==
print((...).x)
--==
local function f(...) return (...)() end
f()
--==
local function f(a) a() end f()
--==
local function f(...) local a = ... a() end f()
--==
local a = {} ; (a.b or a.c)()
--==
local a = "x" + {}
--==
local a, b = 1 print(a + b)
--==
local a, b = 1, "q" print(a + b)
--==
local a = 2 ^ {}
--==
local a = {} % 2
--==
print(2 ^ 3 ^ 2, -2 ^ 2, not nil == true, 7 % -3, -7 % 3, 5.5 % 2)
--== what operands of logical operators are called
local a,b,f,n=true,"x",false,nil
local function p(g) print(select(2, pcall(g))) end
p(function() return -(a and b) end)
p(function() return -(f or b) end)
p(function() return -(a or b) end)
p(function() return -(n and b) end)
p(function() return -(ga and b) end)
p(function() local c = 1 return -(c and b) end)
p(function() return -((a or 1) and b) end)
p(function() return -((f or a) and b) end)
p(function() return -((a and a) or b) end)
p(function() return -((n and a) or b) end)
p(function() local t={} return -((t.x or t.y) and b) end)
p(function() local t={} return -((t.x or b) or b) end)
p(function() return -((ga or a) and b) end)
p(function() local c,d = 1,"x" return -((c or 1) and d) end)
p(function() local c,d = 1,"x" return -((a or 1) and d) end)
p(function() local c,d = 1,"x" return -((a or 1) and math.x) end)
p(function() return -((a or 1) and "x") end)
p(function() return -((a or 1) and (f or b)) end)
p(function() return ((a or 1) and b)() end)
p(function() local t = {} return 1 + t[("key")] end)
p(function() local t = {} return 1 + t[("1" and "key")] end)
p(function() local t = {} return 1 + t[(nil or ("key"))] end)
p(function() local t = {} return 1 + t["key" or 1] end)
p(function() return 1 / ((nil) or b) end)
p(function() return 1 / ((1) and (false or b)) end)
