for i = 1, 3 do print(i) end for i = 3, 1 do print("no") end for i = 3, 1, -1 do print(i) end for i = 1, 2, 0.5 do print(i) end for i = 0.1, 0.5, 0.1 do print(i) end for i = -3, -1 do print(i) end
--==
for i = 1, 3 do i = i * 10 print(i) end local fs = {} for i = 1, 3 do fs[i] = function() i = i + 1 return i end end print(fs[1](), fs[1](), fs[2](), fs[3]())
--==
local fs = {} for k, v in pairs({10, 20, 30}) do fs[k] = function() return k, v end end for i = 1, 3 do print(fs[i]()) end
--==
local fs = {} local i = 1 while i <= 3 do local j = i fs[i] = function() j = j + 1 return j end i = i + 1 end print(fs[1](), fs[1](), fs[2](), fs[3]())
--==
local fs = {} local i = 0 repeat local j = i fs[#fs + 1] = function() return j end i = i + 1 until j >= 2 print(#fs, fs[1](), fs[2](), fs[3]())
--==
local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end local inc, get = counter() inc() inc() print(get()) local inc2, get2 = counter() print(get2())
--==
local function f(...) local a, b = ... return select('#', ...), a, b, ... end print(f()) print(f(1)) print(f(1, nil)) print(f(1, 2, 3)) print((f(1, 2, 3)))
--==
local function va(...) local t = {...} return #t, (...), select(-1, ...) end print(va(1, 2, 3)) print(pcall(va))
--==
local function tail(n, acc) if n == 0 then return acc end return tail(n - 1, acc + n) end print(tail(100000, 0))
--==
local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end print(even(100001), odd(50001))
--==
local function fact(n) return n <= 1 and 1 or n * fact(n - 1) end print(fact(10), fact(20), fact(170), fact(171))
--==
local function ack(m, n) if m == 0 then return n + 1 elseif n == 0 then return ack(m - 1, 1) else return ack(m - 1, ack(m, n - 1)) end end print(ack(2, 3), ack(2, 9))
--==
local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end print(deep(15000))
--==
local function deep(n) if n == 0 then error("bottom") end return 1 + deep(n - 1) end print(pcall(deep, 10000)) local function d2(n) if n == 0 then return coroutine.yield("mid") end return 1 + d2(n - 1) end local co = coroutine.wrap(function() return d2(5000) end) print(co()) print(co(7))
--==
local co = coroutine.create(function(a, b) print("start", a, b) local c = coroutine.yield(a + b) print("got", c) local d, e = coroutine.yield(c * 2) print("got", d, e) return d + e, "done" end) print(coroutine.status(co)) print(coroutine.resume(co, 1, 2)) print(coroutine.status(co)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 3, 4)) print(coroutine.status(co)) print(coroutine.resume(co))
--==
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end for v in gen(5) do print(v) end local s = 0 for v in gen(1000) do s = s + v end print(s)
--==
local function permgen(a, n) if n <= 1 then coroutine.yield(a) else for i = 1, n do a[n], a[i] = a[i], a[n] permgen(a, n - 1) a[n], a[i] = a[i], a[n] end end end for p in coroutine.wrap(function() permgen({1, 2, 3}, 3) end) do print(table.concat(p, " ")) end
--==
local co co = coroutine.create(function() print(coroutine.status(co)) print(coroutine.resume(co)) print(coroutine.running() == co) local co2 = coroutine.create(function() print(coroutine.status(co)) print(coroutine.resume(co)) end) print(coroutine.resume(co2)) end) coroutine.resume(co) print(coroutine.status(co))
--==
local co = coroutine.create(function() local ok, e = pcall(function() coroutine.yield(1) end) print(ok, e) end) print(coroutine.resume(co)) print(coroutine.status(co))
--==
local co = coroutine.create(function() table.sort({2, 1}, function(a, b) coroutine.yield() end) end) print(coroutine.resume(co))
--==
local co = coroutine.create(function() return setmetatable({}, {__index = function() coroutine.yield() end}).x end) print(coroutine.resume(co))
--==
local co = coroutine.create(function() for x in function() return coroutine.yield(1) end do print("x", x) end end) print(coroutine.resume(co))
--==
local co = coroutine.create(function() return ("x"):gsub("x", function() coroutine.yield() end) end) print(coroutine.resume(co)) local co = coroutine.create(function() return tostring(setmetatable({}, {__tostring = function() coroutine.yield() end})) end) print(coroutine.resume(co))
--==
local co = coroutine.wrap(function(...) local args = {...} while true do args = {coroutine.yield(#args, unpack(args))} end end) print(co(1, 2)) print(co()) print(co(nil)) print(co("a", "b", "c"))
--==
local cos = {} for i = 1, 10 do cos[i] = coroutine.wrap(function() for j = 1, 3 do coroutine.yield(i * 10 + j) end return "end" .. i end) end for r = 1, 4 do local t = {} for i = 1, 10 do t[i] = cos[i]() end print(table.concat(t, " ")) end
--==
local function nest(n) if n == 0 then return "bottom" end return coroutine.wrap(function() return nest(n - 1) end)() end print(nest(50)) print(pcall(nest, 250))
--==
local co = coroutine.create(function() error("first") end) print(coroutine.resume(co)) print(coroutine.resume(co)) print(coroutine.status(co)) local co2 = coroutine.create(function() error() end) print(coroutine.resume(co2))
--==
local function producer() return coroutine.create(function() for _, v in ipairs{"a", "b", "c"} do coroutine.yield(v) end end) end local function filter(p) return coroutine.create(function() local n = 1 while true do local ok, v = coroutine.resume(p) if not v then return end coroutine.yield(n .. ":" .. v) n = n + 1 end end) end local f = filter(producer()) while true do local ok, v = coroutine.resume(f) if not v then break end print(v) end
--==
print(coroutine.wrap(function() return pcall(error, "x") end)()) print(coroutine.wrap(function() return select('#', coroutine.yield()) end)()) print(select("#", coroutine.wrap(function() end)())) print(coroutine.resume(coroutine.create(function(...) return select('#', ...), ... end), 1, nil, nil))
--==
local x = 10 do local x = x + 1 print(x) do local x = x * 2 print(x) end print(x) end print(x)
--==
local a <const> = 5
--==
local t = {} for i = 1, 5 do local v = i t[i] = {get = function() return v end, set = function(n) v = n end} end t[2].set(100) for i = 1, 5 do print(t[i].get()) end
--==
local function outer() local x = 1 local function mid() local y = 2 local function inner() x = x + 1 y = y + 1 return x, y end return inner end return mid() end local i1 = outer() print(i1()) print(i1()) local i2 = outer() print(i2())
--==
x = 1 local function f() return x end local g = setfenv(function() return x end, {x = 2}) print(f(), g()) print(getfenv(g).x, getfenv(f) == getfenv(1), getfenv() == getfenv(1)) setfenv(1, {print = print, setfenv = setfenv}) y = 5 print(y, x)
--==
local function mk() return function() return v end end local f1, f2 = mk(), mk() setfenv(f1, {v = 1}) setfenv(f2, {v = 2}) print(f1(), f2(), pcall(setfenv, tostring, {})) print(pcall(getfenv, -1)) print(pcall(getfenv, 100)) print(pcall(setfenv, 1)) print(pcall(setfenv, mk, 5)) print(pcall(getfenv, "x"))
--==
local env = setmetatable({}, {__index = function(t, k) return "auto_" .. k end, __newindex = function(t, k, v) rawset(t, k, tostring(v) .. "!") end}) local f = function() newvar = 5 return foo, newvar end setfenv(f, env) print(f())
--==
print(math.floor(3.7), math.floor(-3.7), math.ceil(3.2), math.ceil(-3.2), math.abs(-5), math.max(1, 5, 3), math.min(4, 2, 8), math.sqrt(16), math.pi, math.huge, -math.huge, math.fmod(7, 3), math.fmod(-7, 3), math.mod(7, 3), math.modf(3.7), math.modf(-3.7), math.modf(5), math.pow(2, 10), math.exp(0), math.log(1), math.log10(1000), math.sin(0), math.cos(0), math.tan(0), math.atan2(1, 1), math.deg(math.pi), math.rad(180), math.frexp(8), math.frexp(0.1), math.ldexp(0.5, 4), math.asin(1), math.acos(1), math.atan(1), math.sinh(1), math.cosh(1), math.tanh(1))
print(math.frexp(0), math.frexp(-5), math.frexp(1e300), math.ldexp(1, 1000), math.ldexp(1, -1074), math.modf(1/0), math.modf(-1/0), math.fmod(5, 1/0), math.fmod(-6, 4), math.floor(1e300), math.ceil(-0.5), math.max(1), math.abs("-3"))
print(pcall(math.max)) print(pcall(math.floor)) print(pcall(math.floor, "x")) print(pcall(math.floor, {})) print(pcall(math.pow, 1)) print(pcall(math.min, 1, "x")) print(pcall(math.sqrt, nil)) print(pcall(math.ldexp, 1)) print(math.floor("3.7"))
--==
print(5 % 3, -5 % 3, 5 % -3, -5 % -3, 5.5 % 2, -5.5 % 2, 1e15 % 7, 5 % math.huge ~= 5 % math.huge, 0 % 5, 5 % 0.3, 2^31 % 3, 2^53 % 10) print(1 / 3, 2 / 3, 10 / 3, 1e-7, 123456.789, 1e21, 12345678901234567890, 0.1 + 0.2, 100 * 1.1, 1 - 0.9)
--==
print(not nil, not 0, not "", not false, nil == false, 1 and nil, nil and 1, false or nil, nil or false, 1 or error("no"), nil and error("no"), (1 and 2) or 3, (nil and 2) or 3, 1 < 2 and 2 < 3, not (1 < 2), not 1 == 2)
--==
local a = {1, 2, 3} local function f() a[#a + 1] = "x" return #a end print(f(), f(), a[f()]) local i = 1 local function nexti() i = i + 1 return i end local t = {nexti(), nexti(), x = nexti(), nexti()} print(t[1], t[2], t.x, t[3]) local log = {} local function l(v) log[#log + 1] = tostring(v) return v end local _ = l(1) + l(2) * l(3) local _ = l("a") .. l("b") .. l("c") local _ = l(4) < l(5) and l(6) or l(7) local _ = l{} == l(8) l(9)(l) = nil
--==
local log = {} local function l(v) log[#log + 1] = tostring(v) return v end local _ = l(1) + l(2) * l(3) local _ = l("a") .. l("b") .. l("c") local _ = l(4) < l(5) and l(6) or l(7) local _ = l(8) > l(9) local t = {} t[l("k")] = l("v") t[l(1)], t[l(2)] = l("v1"), l("v2") print(table.concat(log, " "))
--==
local a = 1 local function f() a = a + 1 return a end print(a + f(), a .. f(), f() + a, a * f() * a) local t = {a, f(), a} print(t[1], t[2], t[3]) local x, y = a, f() print(x, y) print(a, f(), a) print(a == f(), a < f())
--==
local a = {v = 1} local function chg() a = {v = 2} return "v" end print(a[chg()], a.v) local b = {v = "old"} local function f() b = {v = "new"} return 1 end b.v = f() print(b.v) local c = {1, 2} local function g() c = {10, 20} return 2 end print(c[1] + c[g()])
--==
if nil then print(1) elseif false then print(2) elseif 0 then print(3) else print(4) end if "" then print("empty true") end while nil do end repeat until true do end
--==
local s = 0 for i = 1, 10 do if i % 2 == 0 then s = s + i end if i == 8 then break end end print(s) for i = 1, 3 do for j = 1, 3 do if j == 2 then break end print(i, j) end end while true do local x = 1 if x then break end end
--==
local function r0() end local function r1() return nil end local function r3() return 1, nil, nil end print(r0()) print(r1()) print(r3()) print((r0())) print(select('#', r0()), select('#', r1()), select('#', r3()), select('#', (r0()))) print(r0(), r3(), r0()) local a, b = r0() print(a, b) local t = {r3(), r3()} print(#t, select('#', unpack(t, 1, 4)))
--==
print(type(nil), type(1), type("x"), type(true), type({}), type(print), type(function() end), type(coroutine.create(function() end)), type(newproxy())) print(_VERSION, _G._G == _G, type(_G))
--==
local t = {} t[1], t[2], t[3] = 1, 2 print(t[1], t[2], t[3]) local a, b, c = (function() return 1, 2, 3 end)() print(a, b, c) a, b, c = 0, (function() return 1, 2, 3 end)() print(a, b, c) a, b = (function() return 1, 2, 3 end)(), 10 print(a, b) a, b, c = 1 print(a, b, c)
--==
local function f() return f end print(f() == f, f()()() == f) local o = {} function o.new(v) return setmetatable({v = v}, {__index = o}) end function o:get() return self.v end print(o.new(5):get(), o.new("x").get{v = "y"}, #("abc"):rep(2), ("%d"):format(7), ("a,b"):gsub(",", ";"))
--==
local t = setmetatable({}, {__index = table}) t:insert("a") t:insert("b") print(t:concat(","), #t) local s = "x" print(s:rep(3):upper():lower():len())
--==
collectgarbage() collectgarbage("collect") print(type(collectgarbage("count")), pcall(collectgarbage, "bad"), type(gcinfo())) print(pcall(collectgarbage, "count", "x"))
