--- :OllamaLocate
local say = require("ollama_locate.say")
local state = require("ollama_locate.state")

local M = {}

local PATIENCE = 60000 -- ms; `refresh` waits for a round of the daemon

---Run the command `ollama-locate`, and say in the end what it said.
---@param words string[]
local function run_program(words)
  local command = vim.list_extend({ "ollama-locate" }, words)
  local ok = pcall(vim.system, command, { text = true, timeout = PATIENCE }, function(done)
    local text = vim.trim((done.code == 0 and done.stdout or "") .. (done.stderr or "")) -- stderr has the sentences
    if text == "" then
      text = ("`%s` ended with %d."):format(table.concat(command, " "), done.code)
    end
    vim.schedule(function()
      if require("ollama_locate.watch").watching() then
        require("ollama_locate.watch").check()
      end
      say.notify(text, done.code == 0 and vim.log.levels.INFO or vim.log.levels.ERROR)
    end)
  end)
  if not ok then
    say.fail("The command `ollama-locate` is not on your PATH; the project's README says how to install it.")
  end
end

---What `pin` understands: the names, and the URL of one whose name has blanks.
---@return string[]
local function servers()
  local found = {} ---@type string[]
  for _, server in ipairs(state.servers()) do
    local word = server.name:find("%s") and server.url or server.name
    if server.kind ~= "self_check" and not vim.list_contains(found, word) then
      found[#found + 1] = word
    end
  end
  return found
end

---@class ollama_locate.Word
---@field run fun(argument?: string)
---@field complete? fun(): string[]

---@type table<string, ollama_locate.Word>
local words = {
  status = {
    run = function()
      vim.notify(table.concat(require("ollama_locate.status").lines(), "\n"))
    end,
  },
  refresh = {
    run = function()
      run_program({ "refresh" })
    end,
  },
  pin = {
    complete = servers,
    run = function(name)
      if name and name:sub(1, 1) == "-" then
        return say.fail(("`%s` is no server."):format(name))
      end
      run_program({ "pin", name }) -- without a name it says what is pinned
    end,
  },
  unpin = {
    run = function()
      run_program({ "unpin" })
    end,
  },
  ensure = {
    complete = function()
      return require("ollama_locate.models").names()
    end,
    run = function(model)
      require("ollama_locate.ensure").ensure(model)
    end,
  },
  stop = {
    run = function()
      require("ollama_locate.ensure").stop()
    end,
  },
  chat = {
    run = function()
      require("ollama_locate.codecompanion").chat()
    end,
  },
}

---@return string[]
local function names()
  local found = vim.tbl_keys(words)
  table.sort(found)
  return found
end

---@param arguments string[]
function M.run(arguments)
  local word = words[arguments[1] or "status"]
  if not word then
    return say.fail(("`%s` is none of: %s"):format(arguments[1], table.concat(names(), ", ")))
  end
  if #arguments > (word.complete and 2 or 1) then
    return say.fail(("`:OllamaLocate %s` takes no more words."):format(arguments[1]))
  end
  word.run(arguments[2])
end

---@param lead string
---@param line string
---@param column integer
---@return string[]
function M.complete(lead, line, column)
  local before = vim.split(line:sub(1, column), "%s+", { trimempty = true })
  local place = #before - (lead == "" and 0 or 1) -- 1: the first word after the command's name
  local candidates = {} ---@type string[]
  if place == 1 then
    candidates = names()
  elseif place == 2 and words[before[2]] and words[before[2]].complete then
    candidates = words[before[2]].complete()
  end
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
