--- `ollama-locate ensure` as a process: it tells what it does, an object a line (docs/models.md, "For programs").
local M = {}

M.NAME = "ollama-locate"

---@return boolean
function M.here()
  return vim.fn.executable(M.NAME) == 1
end

---Why it ended without an object that says so: the last line of stderr, where argparse has the reason.
---@param done vim.SystemCompleted
---@return string
local function complaint(done)
  local lines = vim.split(done.stderr or "", "\n", { trimempty = true })
  local said = vim.trim((lines[#lines] or ""):gsub("^.*error: ", ""):gsub("^argument M: ", ""))
  return said ~= "" and said or ("`%s ensure` ended with %d"):format(M.NAME, done.code)
end

---Takes pieces of text, and the objects out of them.
---@param on_object fun(object: table)
---@return fun(problem?: string, piece?: string)
local function reader(on_object)
  local rest = ""
  return function(_, piece)
    local lines = vim.split(rest .. (piece or ""), "\n", { plain = true })
    rest = table.remove(lines)
    for _, line in ipairs(lines) do
      local ok, object = pcall(vim.json.decode, line, { luanil = { object = true } })
      if ok and type(object) == "table" then
        on_object(object)
      end
    end
  end
end

---@class ollama_locate.Ensuring
---@field answer fun(yes: boolean) to its question, which comes with the event `pulling`
---@field stop fun() as ctrl-C does

---@class ollama_locate.Wanted
---@field model string
---@field on? string the URL of the server, where it is not for the command to choose
---@field on_event fun(event: table) is called on the main loop, as is
---@field on_end fun(problem?: string) `problem`: it ended without an event `done` or `error`

---@param wanted ollama_locate.Wanted
---@return ollama_locate.Ensuring
function M.ensure(wanted)
  local words = { M.NAME, "ensure", "--json", "--ask" }
  vim.list_extend(words, wanted.on and { "--on", wanted.on } or {})
  vim.list_extend(words, { "--", wanted.model })
  local told = false
  local take = reader(function(event)
    told = told or event.event == "done" or event.event == "error"
    vim.schedule(function()
      wanted.on_event(event)
    end)
  end)
  local ok, started = pcall(vim.system, words, { stdin = true, stdout = take, text = true }, function(done)
    vim.schedule(function()
      wanted.on_end(not told and complaint(done) or nil)
    end)
  end)
  if not ok then -- it was there a moment ago
    vim.schedule(function()
      wanted.on_end(tostring(started))
    end)
    return { answer = function() end, stop = function() end }
  end
  local process = started --[[@as vim.SystemObj]]
  return {
    answer = function(yes)
      pcall(process.write, process, yes and "y\n" or "n\n") -- it may have ended meanwhile
    end,
    stop = function()
      process:kill("sigint")
    end,
  }
end

return M
