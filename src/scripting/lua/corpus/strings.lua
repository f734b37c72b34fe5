print(("abc"):len(), #"a\0b", ("x"):rep(0), ("x"):rep(-1), ("ab"):rep(3), ("abc"):reverse(), ("aBc\200"):upper(), ("aBc\200"):lower())
--==
for _, a in ipairs{{1}, {2}, {-1}, {-2, -1}, {0}, {2, 10}, {5}, {3, 2}, {-100, 100}, {1, 0}, {1, -1}, {"2", "3"}, {2.7, 3.9}, {-3, -2}} do
  print(("hello"):sub(unpack(a)))
end
print(pcall(string.sub, "x"))
--==
print(("hello"):byte(), ("hello"):byte(2), ("hello"):byte(-1), ("hello"):byte(10), ("hello"):byte(1, 3), ("hello"):byte(0), ("").byte(""))
print(("hello"):byte(-10, 10))
print(select('#', ("hello"):byte(10)), select('#', ("hello"):byte(3, 2)))
--==
print(string.char(), string.char(65), string.char(72, 105), #string.char(0, 255), pcall(string.char, 256))
print(pcall(string.char, -1)) print(pcall(string.char, "x")) print(string.char("65", 66.9))
--==
local pats = {"l", "l+", "l*", "l-", "x*", "^h", "^e", "o$", "h.*o", "h.-o", "(h)(e)", "()ll()", "%a+", "%A", "%w%s", "[a-f]+", "[^a-f]+", "[%a_]+", "[]]", "[^]]+", "[a-]", "[%]]", "%%", ".", "", "$", "^", "^$", "a?h", "hx?e", "%f[%a]%a+", "%f[l]l", "%bho", "(l)%1", "((h)(.))", "(.)(.)(.)(.)(.)", "[h-l]+", "[l-h]+", "[%l]", "l-o", "^.-$", "%u", "h%f[e]"}
for _, p in ipairs(pats) do
  print(p, ("hello"):find(p))
  print(p, ("hello"):match(p))
  print(p, ("hello"):gsub(p, "<%0>"))
  local t = {} for a, b in ("hello"):gmatch(p) do t[#t + 1] = tostring(a) .. ":" .. tostring(b) end
  print(p, table.concat(t, ","))
end
--==
local bad = {"(", ")", "(()", "%", "[", "[a", "[^", "[]", "[%", "%b", "%bx", "%f", "%fa", "%1", "(%1)", "(a)%2", "a)", "%", "[a-", "[a-%", "((a)", "()%1", "%0", "[[:alpha:]]", "*", "+a", "?", "-", "^*", "a**", "$a", "a$b", "a^b"}
for _, p in ipairs(bad) do
  print(p, pcall(string.find, "abc]a", p))
  print(p, pcall(string.match, "abc", p))
  print(p, pcall(string.gsub, "abc", p, "x"))
end
--==
for i = 31, 34 do
  print(pcall(string.find, string.rep("a", 40), string.rep("(a)", i)) )
end
print(pcall(string.find, "x", string.rep("(", 33)))
--==
print(("hello world"):find("o w"), ("hello world"):find("o", 6), ("hello world"):find("o", -3), ("hello"):find("", 3), ("hello"):find("", 10), ("hello"):find("l", -100))
print(("a.b"):find(".", 1, true), ("a.b"):find("%."), ("a+b"):find("+", 1, true), ("a+b"):find("a+b", 1, true), ("x"):find("x", 1, false))
print(("a\0b"):find("\0"), ("a\0b"):find("b"), ("a\0b"):find("%z"), ("a\0b\0"):match("%z(.)"), ("a\0b"):find("\0b", 1, true))
--==
print(("hello"):gsub("l", "L", 1), ("hello"):gsub("l", "L", 0), ("hello"):gsub("l", "L", -1), ("hello"):gsub("", "-"), ("hello"):gsub("l*", "x"), (""):gsub("", "x"), ("abc"):gsub("%w", "%0%0"), ("abc"):gsub("%w", "%%"), ("abc"):gsub("(a)(b)", "%2%1"))
print(("abc"):gsub("b", {b = "B"}), ("abc"):gsub("%w", {a = 1, b = true, c = false}) )
--==
print(pcall(string.gsub, "abc", "%w", {b = true}))
print(pcall(string.gsub, "abc", "%w", {b = {}}))
print(pcall(string.gsub, "abc", "%w", function() return {} end))
print(("abc"):gsub("%w", function(c) if c == "b" then return "X" end end))
print(("abc"):gsub("(%w)(%w)", function(a, b) return b .. a end))
print(("abc"):gsub("()", function(p) return p end))
print(("abc"):gsub("%w", "%1"))
print(pcall(string.gsub, "abc", "%w", "%2"))
print(pcall(string.gsub, "abc", "%w", "%9"))
print(pcall(string.gsub, "abc", "%w"))
print(pcall(string.gsub, "abc", "%w", nil))
print(pcall(string.gsub, "abc", "%w", true))
print(pcall(string.gsub, "abc"))
print(("abc"):gsub("b", 5), ("abc"):gsub("b", "%"), ("a b"):gsub("%s", "%%20"))
print(("x = 1, y = 2"):gsub("(%w+) = (%w+)", "%2 = %1"))
print(("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x"), ("abc"):gsub("c$", "x"))
print((" trim  "):gsub("^%s*(.-)%s*$", "[%1]"))
print(("hello"):gsub(".", setmetatable({}, {__index = function(t, k) return k:upper() end})))
print(("$name is $age"):gsub("%$(%w+)", {name = "Bob", age = 42}))
--==
local t = {} for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do t[#t + 1] = k .. v end print(table.concat(t, ";"))
for w in ("one two"):gmatch("^%a+") do print(w) end
for a in ("abc"):gmatch("") do io = (io or 0) end
for p in ("abc"):gmatch("()") do print(p) end
print(pcall(string.gmatch)) print(pcall(string.gmatch, "x"))
local it = ("ab"):gmatch(".") print(it(), it(), it(), it())
--==
print(("THE (quick) fox"):find("%((%a+)%)"), ("f(a(b)c)d"):match("%b()"), ("[[x]]"):match("%[%[(.-)%]%]"), ("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
print(("2024-01-15"):match("(%d+)-(%d+)-(%d+)"), ("  x"):match("^%s*(.*)$"), ("a,b,,c"):gsub(",", ";"), ("x"):match("y"), ("x"):match("()"))
print(("THE (quick) fox"):gsub("%f[%a]%a+", string.lower))
for i = 0, 255 do local c = string.char(i) local r = "" for k in ("acdlpsuwxz"):gmatch(".") do r = r .. (c:find("%" .. k) and k or "-") .. (c:find("%" .. k:upper()) and k or "-") end if i % 16 == 0 or (i > 30 and i < 128) then print(i, r) end end
--==
local fmts = {"%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.3d", "%8.3d", "%-8.3d|", "%i", "%u", "%x", "%X", "%#x", "%o", "%#o", "%c", "%5c|", "%-5c|", "%e", "%E", "%f", "%.0f", "%.1f", "%10.3f", "%-10.3f|", "%+.2f", "%010.2f", "%g", "%G", "%.3g", "%#g", "%10g", "%s", "%10s", "%-10s|", "%.2s", "%q", "%#.3x", "% 5d", "%+5d", "%-+5d|", "%0+5d", "%.0e", "%#.0f", "%#.0e", "%.20f", "%.10g", "%5.1f", "%.14g", "%.17g", "%99.99f"}
local vals = {0, 1, -1, 42, -42, 3.14159, -2.5, 0.5, 1.5, 1e10, 1e20, -1e20, 123456789, 65, 97, 0.1, 1e-5, 1e-10, 255, 1e100, 99.995, 2^31, 2^53, -2^31, 1/0, -1/0}
for _, f in ipairs(fmts) do
  for _, v in ipairs(vals) do
    if not (f:find("[cdiuxXo]") and (v >= 2^63 or v <= -2^63)) then
      print(f, v, pcall(string.format, f, v))
    end
  end
end
--==
for _, f in ipairs{"%", "%z", "%y", "%5", "%123d", "%.123d", "%------d", "%-+ #0d", "%-+ #0-d", "%.5", "%5.5.5d", "%ld", "%p", "%n", "%a", "%*d", "%!", "%\0", "x%"} do
  print(f, pcall(string.format, f, 1))
end
print(pcall(string.format)) print(pcall(string.format, "%d")) print(pcall(string.format, "%d", "x")) print(pcall(string.format, "%s")) print(pcall(string.format, "%s", nil)) print(pcall(string.format, "%s", {})) print(pcall(string.format, "%d", {})) print(string.format("%d", "10"), string.format("%s", 10), string.format("%%"), string.format("%5s%%", "a"), string.format("a\0b"))
--==
print(string.format("%q", "a\nb\\c\"d\0e\rf\tg"), string.format("%q", ""), pcall(string.format, "%q", nil), string.format("%q", 5))
print(string.format("%s", ("x"):rep(150)), #string.format("%200s", "x") == nil)
--==
print(pcall(string.format, "%200s", "x"))
print(#string.format("%99s", "x"), #string.format("%-99s", ("x"):rep(98)), string.format("%.3s", ("abc"):rep(50)), #string.format("%.99s", ("a"):rep(200)), string.format("%s|", "a\0b"), #string.format("%c", 0), string.format("%s", "x\0y") == "x")
print(string.format("%d", 3.99), string.format("%d", -3.99), string.format("%x", 3.99), string.format("%x", -1), string.format("%u", -1), string.format("%o", -1), string.format("%X", 255), string.format("%d", 2^53), string.format("%d", -2^53))
--==
print(tostring(12), tostring(-0.5), tostring(1e15), tostring(true), tostring(nil), tostring("x"), 1 .. "", 1.5 .. "|", -1 .. "", 2^63 .. "", 1e100 .. "")
print(tonumber("10"), tonumber("0x1F"), tonumber("1e1"), tonumber(" 5 "), tonumber("5x"), tonumber(""), tonumber(" "), tonumber("0x"), tonumber("1e"), tonumber("."), tonumber("-.5"), tonumber("5."), tonumber("+5"), tonumber("- 5"), tonumber("--5"), tonumber("1 2"), tonumber("0x-1"), tonumber("-0x10"), tonumber("1e+5"), tonumber("1_000"), tonumber("\t7\n"), tonumber("7\0"), tonumber("inf"), tonumber("nan") ~= tonumber("nan"), tonumber("0b1"), tonumber("1e400"), tonumber("0x1p4"), tonumber("0x.8"), tonumber("0xA.8p1"))
print(tonumber({}), tonumber(nil), tonumber(true), tonumber(print))
print(tonumber("10", 2), tonumber("ff", 16), tonumber("FF", 16), tonumber("0xff", 16), tonumber("zz", 36), tonumber("8", 8), tonumber("7", 8), tonumber(" 11 ", 2), tonumber("12", 2), tonumber("-11", 2), tonumber("", 10), tonumber("1.5", 10), tonumber("z", 36), tonumber("ffffffffffffffffff", 16), tonumber("1", 10), tonumber(10, 16), tonumber("1e1", 16))
print(pcall(tonumber, "1", 1)) print(pcall(tonumber, "1", 37)) print(pcall(tonumber, {}, 16)) print(pcall(tonumber, "1", "x")) print(pcall(tonumber, nil, 16))
--==
print("a" < "b", "a" < "A", "abc" < "abd", "" < "a", "a\0" > "a", "\255" > "a", "Z" < "a", "10" < "9", "a" == "a", "a" ~= "b")
--==
print("10" + 5, "3" * "4", 10 .. 20, "0x10" + 0, "1e1" * 1, -"3", "10" / "2", "7" % "4", "2" ^ "3")
print(pcall(function() return "a" + 1 end)) print(pcall(function() return 1 < "2" end)) print(10 == "10", "10" == 10)
--==
local s = ("x"):rep(1000) print(#s, s:sub(1, 5), #(s .. s), s == ("x"):rep(1000))
local big = ("ab"):rep(50000) print(#big, #big:gsub("a", "ccc"), big:find("b", 99990), #big:upper())
--==
print(table.concat({}), table.concat({1, 2, 3}), table.concat({1, 2, 3}, ", "), table.concat({"a", "b", "c"}, "-", 2), table.concat({"a", "b", "c"}, "-", 2, 3), table.concat({"a"}, "x", 3), table.concat({1, "b", 3.5}, " "))
print(pcall(table.concat, {1, {}, 3})) print(pcall(table.concat, {1, nil, 3})) print(pcall(table.concat, {}, "", 1, 2)) print(pcall(table.concat)) print(pcall(table.concat, {}, {})) print(pcall(table.concat, {true}))
--==
print(#tostring({}):gsub("0x%x+", ""), tostring(print):match("^%a+: "), tostring(coroutine.create(function() end)):match("^%a+"), tostring(newproxy()):match("^%a+"))
print(string.len(123), ("x"):len(), pcall(string.len), string.upper(1), string.reverse(12.5), string.rep(1, 3), string.byte(9))
