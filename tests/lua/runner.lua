--- nvim -l runner.lua list          every case, as SPEC<TAB>NAME
--- nvim -l runner.lua SPEC NAME     one case, in an editor of its own; the exit code says whether it holds
local here = vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p"))
vim.opt.runtimepath:prepend(vim.fs.dirname(vim.fs.dirname(here)))
package.path = here .. "/?.lua;" .. package.path

---@class tests.Case
---@field [1] string its name
---@field [2] fun()

---@return string[]
local function specs()
  local names = {} ---@type string[]
  for file in vim.fs.dir(here .. "/specs") do
    names[#names + 1] = file:match("^(.*)%.lua$")
  end
  table.sort(names)
  return names
end

---@param spec string
---@return tests.Case[]
local function cases(spec)
  return dofile(("%s/specs/%s.lua"):format(here, spec))
end

local wanted, name = _G.arg[1], _G.arg[2]
if wanted == "list" then
  for _, spec in ipairs(specs()) do
    for _, case in ipairs(cases(spec)) do
      io.stdout:write(spec, "\t", case[1], "\n")
    end
  end
  return
end
for _, case in ipairs(cases(wanted)) do
  if case[1] == name then
    local ok, problem = xpcall(case[2], function(message)
      return type(message) == "string" and debug.traceback(message, 2) or vim.inspect(message)
    end)
    if not ok then
      io.stderr:write(problem, "\n")
    end
    os.exit(ok and 0 or 1)
  end
end
io.stderr:write("no such case: ", tostring(name), "\n")
os.exit(2)
