local t = {} for i = 1, 20 do t["k" .. i] = i end for k, v in pairs(t) do print(k, v) end
--==
local t = {} for _, k in ipairs{"name", "id", "value", "list", "count", "x", "y", "z", "foo", "bar", "baz", 1.5, 2.5, -1, 0, 100, 1e10, true, false, 3, 2, 1} do t[k] = k end for k, v in pairs(t) do print(k, v) end
--==
local t = {a = 1, b = 2, c = 3, d = 4, e = 5, 10, 20, 30, [100] = 100, [4] = 40, [-1] = -1, [0.5] = "half"} for k, v in pairs(t) do print(k, v) end
--==
local t = {} for i = 1, 10 do t[i] = i end for i = 1, 10, 2 do t[i] = nil end for k, v in pairs(t) do print(k, v) end print(#t)
t[11] = 11 t.x = 1 for k, v in pairs(t) do print(k, v) end print(#t)
--==
local t = {} for i = 10, 1, -1 do t[i] = i end for k, v in pairs(t) do io = k print(k, v) end print(#t)
--==
local t = {1, 2, 3, nil, 5} print(#t) t[6] = 6 print(#t) t[4] = 4 print(#t) t[#t] = nil print(#t) t[#t + 1] = "a" print(#t)
--==
for n = 0, 20 do local t = {} for i = 1, n do t[i] = i end local r = {} for i = n, 1, -1 do t[i] = nil r[#r + 1] = #t end print(n, table.concat(r, " ")) end
--==
for n = 1, 40 do local t = {} for i = 1, n do t[i] = true end t[math.floor(n / 2)] = nil t[n] = nil print(n, #t) t[n + 1] = 1 print(#t) t[n + 2] = 1 print(#t) end
--==
for n = 1, 20 do local t = {n = 1} for i = 1, n * 2, 2 do t[i] = i end print(n, #t) local s = "" for k in pairs(t) do s = s .. k .. " " end print(s) end
--==
local t = {[1] = "a", [2] = "b", [3] = "c"} print(#t) for k, v in pairs(t) do print(k, v) end t[4] = "d" print(#t) for k, v in pairs(t) do print(k, v) end
--==
local t = {[1] = 1, [2] = 2, [4] = 4} print(#t) local t = {[1] = 1, [2] = 2, [4] = 4, [8] = 8} print(#t) local t = {nil, 2} print(#t) local t = {nil, nil, 3, nil} print(#t) local t = {1, nil, nil, nil} print(#t)
--==
local function f(...) return {...} end print(#f(), #f(1), #f(1, nil), #f(1, nil, 3), #f(nil, nil), #f(nil, 2, nil, 4))
--==
local t = {} for i = 1, 100 do t[i * 7 % 101] = i end local s = {} for k, v in pairs(t) do s[#s + 1] = k .. "=" .. v end print(table.concat(s, " ")) print(#t)
--==
local t = {} for i = 1, 50 do t["key" .. i] = i end for i = 1, 50, 3 do t["key" .. i] = nil end for i = 51, 60 do t["key" .. i] = i end local s = {} for k, v in pairs(t) do s[#s + 1] = k end print(table.concat(s, " "))
--==
local t = {x = 1, y = 2, z = 3} for k in pairs(t) do t[k] = nil end print(next(t)) t.a = 1 t.b = 2 for k, v in pairs(t) do print(k, v) end
--==
local t = {} for i = 1, 10 do t[i] = i end for k, v in pairs(t) do t[k] = v * 2 end print(table.concat(t, ","))
--==
local t = {1, 2, 3} for i, v in ipairs(t) do if i < 6 then t[#t + 1] = v * 10 end print(i, v) end
--==
local t = {} t[1.0] = "a" t["1"] = "b" t[2^53] = "c" print(t[1], t["1"], t[2^53], #t) t[-0] = "z" print(t[0]) for k, v in pairs(t) do print(k, v) end
--==
local t = {10, 20, 30} table.insert(t, 40) table.insert(t, 1, 5) table.insert(t, 3, 15) print(table.concat(t, " ")) table.insert(t, 10, 99) print(#t, t[10]) print(table.remove(t), table.remove(t, 1), table.remove(t, 2), table.concat(t, " ")) print(table.remove({}), table.remove({}, 1), table.remove({1, 2}, 5), select('#', table.remove({})))
--==
print(pcall(table.insert)) print(pcall(table.insert, {})) print(pcall(table.insert, {}, 1, 2, 3)) print(pcall(table.insert, {}, "x", 2)) print(pcall(table.insert, 1, 2)) print(pcall(table.insert, {}, nil)) print(pcall(table.remove)) print(pcall(table.remove, {}, "x")) print(pcall(table.insert, {1}, -2, "n"))
--==
local t = {3, 1, 2} table.sort(t) print(table.concat(t, " ")) table.sort(t, function(a, b) return a > b end) print(table.concat(t, " ")) local w = {"banana", "apple", "cherry", "Apple", ""} table.sort(w) print(table.concat(w, ","))
--==
local n = 0 local t = {} for i = 1, 100 do t[i] = i * 37 % 101 end table.sort(t, function(a, b) n = n + 1 return a < b end) print(table.concat(t, " "), n)
--==
local log = {} local t = {5, 3, 8, 1, 9, 2, 7} table.sort(t, function(a, b) log[#log + 1] = a .. "<" .. b return a < b end) print(table.concat(log, " ")) print(table.concat(t, " "))
--==
print(pcall(table.sort, {3, 1, 2, 5, 4, 8, 7}, function(a, b) return true end)) print(pcall(table.sort, {1, 2, 3}, function(a, b) return false end)) print(pcall(table.sort, {1, "x"})) print(pcall(table.sort, {{}, {}})) print(pcall(table.sort, {1, 2}, 5)) print(pcall(table.sort)) print(pcall(table.sort, {nil, 1}))
for n = 1, 30 do local t = {} for i = 1, n do t[i] = i % 7 end print(n, pcall(table.sort, t, function(a, b) return a <= b end)) end
--==
local t = setmetatable({}, {__lt = function(a, b) return a.v < b.v end}) local mt = getmetatable(t) local l = {} for i = 1, 10 do l[i] = setmetatable({v = i * 7 % 11}, mt) end table.sort(l) for i = 1, 10 do print(l[i].v) end
--==
print(table.maxn({}), table.maxn({1, 2, 3}), table.maxn({[10] = 1, [5.5] = 2}), table.maxn({[-1] = 1}), table.maxn({x = 1, [1e10] = 1}), table.getn({1, 2}), pcall(table.setn, {}, 1))
table.foreach({a = 1}, print) table.foreachi({"x", "y"}, print) print(table.foreach({1, 2, 3}, function(k, v) if v == 2 then return "found" end end), table.foreachi({1, 2, 3}, function(i, v) if v == 3 then return i, "more" end end))
--==
print(next({}), next({a = 1}), next({5})) local t = {a = 1} print(next(t, "a")) print(pcall(next, t, "b")) print(pcall(next)) print(rawequal(t, t), rawequal(t, {}), rawequal("a", "a"), rawget(t, "a"), rawset(t, "b", 2) == t, t.b)
--==
local t = setmetatable({}, {__index = {x = 1, y = 2}}) print(t.x, t.y, t.z, rawget(t, "x")) t.x = 10 print(t.x) t.x = nil print(t.x)
--==
local log = {} local t = setmetatable({}, {__newindex = function(t, k, v) log[#log + 1] = tostring(k) .. "=" .. tostring(v) rawset(t, k, v) end}) t.a = 1 t.a = 2 t.b = nil t[1] = "x" print(table.concat(log, " "), t.a, t[1])
--==
local base = {} local t = setmetatable({}, {__newindex = base, __index = base}) t.x = 5 print(rawget(t, "x"), base.x, t.x)
--==
local mt = {} for _, op in ipairs{"add", "sub", "mul", "div", "mod", "pow", "concat"} do mt["__" .. op] = function(a, b) return op .. "(" .. (type(a) == "table" and "T" or tostring(a)) .. "," .. (type(b) == "table" and "T" or tostring(b)) .. ")" end end mt.__unm = function(a, b) return "unm" .. tostring(rawequal(a, b)) end mt.__len = function() return 99 end mt.__call = function(self, ...) return "called", select('#', ...), ... end mt.__tostring = function() return "TOSTR" end
local t = setmetatable({}, mt) print(t + 1, 1 + t, t - t, t * 2, 2 / t, t % 3, t ^ 2, 2 ^ t, t .. "x", "x" .. t, t .. t, 1 .. t, -t, #t, t(1, 2), t(), tostring(t)) print("a" .. "b" .. t .. "c" .. "d")
--==
local mt = {__eq = function(a, b) return a.v == b.v end, __lt = function(a, b) return a.v < b.v end, __le = function(a, b) return a.v <= b.v end} local function n(v) return setmetatable({v = v}, mt) end local a, b, c = n(1), n(2), n(1) print(a == b, a == c, a ~= c, a < b, a > b, a <= c, a >= b, a == 1, rawequal(a, c)) print(pcall(function() return a < 1 end)) print(pcall(function() return a <= "x" end))
--==
local mt = {__lt = function(a, b) return a.v < b.v end} local function n(v) return setmetatable({v = v}, mt) end print(n(1) <= n(2), n(2) <= n(1), n(1) >= n(1)) local a = setmetatable({}, {__eq = function() return true end}) local b = setmetatable({}, {__eq = function() return true end}) print(a == b, a ~= b) print(pcall(function() return setmetatable({}, {__lt = function() return 1 end}) < setmetatable({}, {__lt = function() return 1 end}) end))
--==
print(setmetatable({}, {__tostring = function() return 5 end}) ~= nil) print(pcall(tostring, setmetatable({}, {__tostring = function() return 5 end}))) print(pcall(tostring, setmetatable({}, {__tostring = "x"}))) print(pcall(tostring, setmetatable({}, {__tostring = function() error("ts") end})))
--==
local t = setmetatable({}, {__call = function(self, a) return a * 2 end}) print(t(21), pcall(t, 4), select(2, pcall(t, 5))) local u = setmetatable({}, {__call = t}) print(pcall(u, 1))
for _, v in ipairs{1, 2} do print(v) end
--==
local t = setmetatable({}, {__index = function(t, k) return k * 2 end}) print(t[21], t[1.5]) local p = setmetatable({}, {__index = t}) print(p[4]) local s = setmetatable({}, {__index = string}) print(s.format("%d", 3))
--==
local proxy = newproxy(true) getmetatable(proxy).__index = function(u, k) return "idx" .. k end getmetatable(proxy).__call = function(u, x) return x end getmetatable(proxy).__add = function(a, b) return "add" end getmetatable(proxy).__concat = function() return "cat" end getmetatable(proxy).__eq = function() return true end print(proxy.foo, proxy(5), proxy + 1, proxy .. "x", type(proxy), proxy == newproxy(proxy)) print(pcall(newproxy, 5), pcall(newproxy, newproxy())) print(getmetatable(newproxy()))
--==
local weak = setmetatable({}, {__mode = "k"}) weak[1] = 2 print(weak[1]) print(getmetatable(weak).__mode)
--==
local t = {} t.t = t print(t.t.t.t == t) local a, b = {}, {} a[b] = 1 a[a] = 2 a[print] = 3 print(a[b], a[a], a[print], a[{}])
--==
local t = {} for i = 1, 1000 do t[i] = i end print(#t, t[1000], t[1001]) for i = 1, 1000 do t[i] = nil end print(#t, next(t)) t[1] = 1 print(#t)
--==
local t = {} t[3] = 3 print(#t) t[2] = 2 print(#t) t[1] = 1 print(#t) t[4] = 4 print(#t) for k, v in pairs(t) do print(k, v) end
--==
local q = {first = 1, last = 0} for i = 1, 100 do q.last = q.last + 1 q[q.last] = i end local s = 0 while q.first <= q.last do s = s + q[q.first] q[q.first] = nil q.first = q.first + 1 end print(s, #q, q.first)
--==
print(select('#', unpack({}, 1, 3)), unpack({1, 2, 3}, -1, 1)) print(unpack({1, 2, 3}, "2")) print(pcall(unpack, {}, 1, 8000)) print(select('#', unpack({}, 1, 7000)))
--==
local t = {} for i = 1, 100 do t[i] = {id = i, name = "n" .. i} end table.sort(t, function(a, b) return a.name < b.name end) for i = 1, 100, 10 do print(t[i].id, t[i].name) end
--==
local t = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55} print(#t) t[#t] = nil print(#t) t[60] = 1 print(#t) for i = 56, 70 do t[i] = i print(#t) end
--==
local t = {f = 1, 2, g = 3, 4, [1] = "one", [2] = "two", [3] = "three"} print(t[1], t[2], t[3], t.f, t.g, #t)
--==
local t = {n = 0} function t:inc(by) self.n = self.n + (by or 1) return self end print(t:inc():inc(5):inc().n) local s = {x = {y = {z = function(self, v) return v end}}} print(s.x.y:z(7), s.x.y.z(nil, 8), s["x"]["y"]:z(9))
--==
local function five() return 1, 2, 3, 4, 5 end for k, v in pairs({[7] = 'seven', nil, value = 'v', five()}) do print(k, v) end for k, v in pairs({x = 1, y = 2, z = 3, [9] = 4, five(), five()}) do print(k, v) end
