x =
--==
x = = 1
--==
for
--==
for i
--==
for i = 1
--==
for i = 1 do
--==
for i = 1, 2
--==
for i = 1, 2 do
--==
for i in
--==
for i, in x do end
--==
while true
--==
while true do
--==
repeat
--==
repeat until
--==
if x
--==
if x then
--==
if x then else
--==
if x then elseif
--==
if x then
 y = 1
--==
function
--==
function f
--==
function f(
--==
function f(a,
--==
function f(a,)
end
--==
function f(a, ...)
--==
function f(..., a) end
--==
function f.a:b.c() end
--==
function f() return
--==
local
--==
local function
--==
local 1
--==
local x =
--==
local function f.x() end
--==
return return
--==
return 1 x = 2
--==
break
--==
while true do break x = 1 end
--==
do break end
--==
for i = 1, 2 do local function f() break end end
--==
x
--==
x.y
--==
x:y
--==
x:y z
--==
f() = 1
--==
(f) = 1
--==
f
()
--==
local a = f
(g)()
--==
x = }
--==
x = {
--==
x = {1,2
--==
x = {1
2}
--==
x = {a=}
--==
x = {[1]}
--==
x = {[1=2}
--==
x = "unfinished
--==
x = "unfinished
y = 1
--==
x = 'unfinished \
--==
x = "bad \300 escape"
--==
x = "ok \65\066\0z"
print(x:gsub("%z", "<0>"))
--==
x = [[unfinished long
--==
x = [==[ unfinished ]=]
--==
x = [=x
--==
--[[ unfinished comment
--==
x = [[nested [[ brackets]]
--==
x = [=[ nested [[ ok ]=] print(x)
--==
x = 3..2
--==
x = 3.4.5
--==
x = 0x
--==
x = 0xg
--==
x = 1e
--==
x = 1e+
--==
x = 12abc
--==
print(0x10, 1e2, .5, 5., 3e-2, 0xABCDEF, 1E2)
--==
x = 5 5
--==
x = @
--==
x = $
--==
x = a b
--==
x = 1 ~ 2
--==
x ~= 1
--==
x = !y
--==
x = a..b...c
--==
x = ...
print(x)
--==
function f() return ... end
--==
function f(...) return function() return ... end end
--==
goto = 1 print(goto)
--==
x = not
--==
x = #
--==
x = -
--==
x = 1 +
--==
x = (1
--==
x = (1
+ 2
--==
x = f(1
--==
x = f(1
, 2
--==
x = f{1
--==
x = f"a" "b"
--==
x = a.1
--==
x = a.if
--==
x = a[1
--==
x = a[
--==
x = a:if()
--==
end
--==
until x
--==
else
--==
; x = 1
--==
x = 1;; y = 2
--==
x = 1; y = 2; print(x, y)
--==
local a <const> = 1
--==
and = 1
--==
nil = 1
--==
1 = x
--==
"x" = 1
--==
{} = 1
--==
function f() end end
--==
if x then end else end
--==
x = function
--==
x = function() 
--==
x = function(a b) end
--==
print("a\
b", 'c\
d')
--==
print("tab\tq\"q'q\\ \a\b\f\v" == "tab\009q\034q'q\092 \7\8\12\11")
--==
print([[
first newline skipped]], [==[
a]]b]=]c]==])
--==
print(#"\
\r\n")
--==
-- comment at end
--==
--[==[ long
comment ]==] print("after")
--==
--[ not long
print("x") --[[ inline ]] print("y")
--==
print(1)--[[x]]print(2)
--==
local function f(a, b, ...) local arg = arg return select('#', ...) end
print(f(1, 2, 3, 4))
--==
function f(...) return arg.n, arg[1], arg[2] end
print(f(5, 6))
print(f())
--==
function f(...) local x = ... return arg end
print(f(5, 6))
--==
local t = {f = function(self, ...) return self.v, ... end, v = 7}
print(t:f(1, 2))
print(t.f(t, 3))
--==
a = {} function a.b() return "b" end function a:c() return self == a end a.d = {} function a.d.e() return "e" end
print(a.b(), a:c(), a.d.e())
--==
local a <close> = 1
--==
x = "a" .. 
--==
return (
--==
return 1,
--==
return f(), 
--==
f(,)
--==
f(1,)
--==
a, b
--==
a, b = 
--==
a, b() = 1
--==
a.b, c:d = 1
--==
local a, b, = 1
--==
local a.b = 1
--==
x = {f=function() end, [1]=2; 3, "x"; y=5,}
print(#x, x.y, x[1], x[2])
--==
print(#{1,2,3,nil}, #{1,nil,3}, #{nil,nil,3}, #{n=1}, #{nil}, #{1,2,nil,4,nil})
--==
do local x = 1 do local x = 2 print(x) end print(x) end
--==
local x = 1 local x = x + 1 print(x)
--==
repeat local z = 5 until z == 5 print(z)
--==
local i = 1 repeat local j = i i = i + 1 local f = function() return j end until j >= 3 print(i)
--==
while true do if true then break end end print("out")
--==
for i = 3, 1, -1 do print(i) end for i = 1, 2 do local i = i * 2 print(i) end
--==
for i = 1, 3 do for j = 1, 3 do if j == 2 then break end print(i, j) end end
--==
local function f() return 1, 2, 3 end
local a, b, c, d = f() print(a, b, c, d)
local a, b = f(), 10 print(a, b)
local a, b = (f()) print(a, b)
print(f(), f())
print((f()))
local t = {f(), f()} print(#t)
local t = {f(), (f())} print(#t)
t = {[f()] = f()} print(t[1])
--==
local a, b, c = 1, 2 print(a, b, c)
local a, b = 1, 2, 3 print(a, b)
--==
local a, b = 1, 2 a, b = b, a print(a, b)
--==
local t = {1, 2} local i = 1 i, t[i] = i + 1, 20 print(i, t[1], t[2])
--==
local a = {} local i = 3 i, a[i], a[i + 1] = 4, 5, 6 print(i, a[3], a[4])
--==
local function f(a) a = a or 5 return a end print(f(), f(nil), f(false), f(3))
--==
print(1 and 2, nil and 1, false and 1, nil or 2, false or nil, 1 or 2, nil and nil or 3, false == nil)
--==
print(1 == 1.0, "1" == 1, 0 == -0, 1/0 == 1/-0, "a" < "b", "a" < "B", "" < "a", "a" <= "a", "Z" < "a", "a\0b" < "a\0c")
--==
print(10 / 2, 3 / 2, 1 / 0, -1 / 0, 7 % 3, -7 % 3, 7 % -3, 5.3 % 2, 2 ^ 0.5, 10 % 3.5)
--==
print(1e15, 1e14, 123456789012345, 0.1, 1/3, 100, 1e100, -1e-10, 2^53, 2^63, 1e300 * 1e10, 5 // 2)
--==
print(1e15, 1e14, 123456789012345, 0.1, 1/3, 100, 1e100, -1e-10, 2^53, 2^63, 1e300 * 1e10, -0, 0)
--==
print(0x7fffffff, 0xffffffff, 0xffffffffff, 1e308 * 10, -1e308 * 10)
--==
local a = {} for i = 1, 300 do a[i] = "local v" .. i .. " = " .. i end
print(loadstring(table.concat(a, "\n")))
--==
local a = {} for i = 1, 200 do a[i] = "local v" .. i .. " = " .. i end
print(type(loadstring(table.concat(a, "\n"))))
--==
local a = {} for i = 1, 70 do a[i] = "local v" .. i .. " = " .. i end
a[#a + 1] = "function f() return 0"
for i = 1, 70 do a[#a + 1] = " + v" .. i end a[#a + 1] = " end"
print(loadstring(table.concat(a, "\n")))
--==
print(loadstring(string.rep("(", 300) .. "1" .. string.rep(")", 300)))
--==
print(loadstring("return " .. string.rep("(", 150) .. "1" .. string.rep(")", 150))())
--==
print(loadstring(string.rep("do ", 300) .. string.rep("end ", 300)))
--==
print(loadstring("x = " .. string.rep("{", 300) .. string.rep("}", 300)))
--==
print(loadstring("x = " .. string.rep("not ", 300) .. "1"))
--==
print(loadstring("x = " .. string.rep("a .. ", 300) .. "'b'"))
--==
print(type(loadstring("return " .. string.rep("1 + ", 500) .. "1")), loadstring("return " .. string.rep("1 + ", 500) .. "1")())
--==
local s = {} for i = 1, 300 do s[i] = "elseif x == " .. i .. " then return " .. i * 2 end
local f = loadstring("local x = ... if x == 0 then return 0 " .. table.concat(s, "\n") .. " else return 'none' end")
print(f(0), f(1), f(150), f(300), f(301))
--==
print(loadstring("x = 1 x = ", "=name"))
print(loadstring("x = 1 x = ", "@name.lua"))
print(loadstring("x = 1 x = ", "name\nsecond"))
print(loadstring("x = 1 x = "))
print(loadstring("x = 1\n\n x = "))
print(loadstring(string.rep("x", 100) .. " y"))
print(loadstring("x y", "@" .. string.rep("long", 30)))
print(loadstring("x y", "=" .. string.rep("long", 30)))
print(loadstring(""))
print(load(function() return nil end))
local parts = {"return ", "1", "+2"} local i = 0
print(load(function() i = i + 1 return parts[i] end)())
print(load(function() error("reader") end))
print(load(function() return {} end))
print(load(function() return "x =" end == nil and 1 or function() return nil end, "=c"))
print(pcall(load, 5))
print(pcall(loadstring))
print(loadstring("error('pos')", "=chunk") and pcall(loadstring("error('pos')", "=chunk")))
print(pcall(loadstring("error('pos')")))
print(pcall(loadstring("\n\nerror('pos')", "@file.lua")))
