--- Sees to it that a model is loaded. By the command `ollama-locate ensure`, which knows names, aliases, the order and
--- where nothing may be pulled; without it, and on servers that the daemon does not know, what is there is loaded.
local curl = require("ollama_locate.curl")
local models = require("ollama_locate.models")
local program = require("ollama_locate.program")
local progress = require("ollama_locate.progress")
local say = require("ollama_locate.say")
local state = require("ollama_locate.state")

local M = {}

---@class ollama_locate.Task
---@field model string
---@field url string where requests for it go
---@field quiet boolean nobody asked for it by hand: say only what the user must know
---@field on? string the URL of the server that the user has set
---@field job ollama_locate.Job
---@field process ollama_locate.Ensuring
---@field to? string the server to which it is pulled, for sentences

local running = {} ---@type table<string, ollama_locate.Task>
local offered = {} ---@type table<string, boolean>

---@param task ollama_locate.Task
---@return string
local function key(task)
  return task.url .. " " .. task.model
end

---@param text any from another program
---@return string
local function harmless(text)
  return (tostring(text):gsub("%c", " "):sub(1, 1000))
end

---@param task ollama_locate.Task
---@param sentence? string
---@param level? integer
local function finish(task, sentence, level)
  running[key(task)] = nil
  task.job:finish(sentence, level)
end

---@param task ollama_locate.Task
---@param why string
local function fail(task, why)
  local level = task.quiet and vim.log.levels.WARN or vim.log.levels.ERROR
  finish(task, harmless(("%s is not loaded: %s"):format(task.model, why)), level)
end

---@param done number bytes
---@param all number bytes
---@return string
local function sizes(done, all)
  if all >= 1e9 then
    return ("%.1f/%.1f GB"):format(done / 1e9, all / 1e9)
  end
  return ("%.1f/%.1f MB"):format(done / 1e6, all / 1e6)
end

---@param task ollama_locate.Task
---@param current boolean
local function ask(task, current)
  local missing = ("%s is not on %s."):format(task.model, task.on and task.to or "any server that answers")
  if task.quiet then
    local before = offered[(task.on or "") .. " " .. task.model]
    offered[(task.on or "") .. " " .. task.model] = true
    if before or vim.api.nvim_get_mode().mode ~= "n" then -- a question would swallow what is being typed
      task.process.answer(false)
      return before or say.warn(("%s To pull it to %s: :OllamaLocate ensure %s"):format(missing, task.to, task.model))
    end
  end
  local other = (current or task.on) and "" or ", which is not the current endpoint"
  local yes = ("Pull %s to %s%s"):format(task.model, task.to, other)
  vim.ui.select({ yes, "Not now" }, { prompt = missing }, function(choice)
    task.process.answer(choice == yes)
  end)
end

---What is done for each event; others, and remarks where nobody asked, are left.
local events = {} ---@type table<string, fun(task: ollama_locate.Task, event: table)>

function events.pulling(task, event)
  task.to, task.job.short = harmless(event.server), ("pull %s?"):format(task.model)
  ask(task, event.current == true)
end

function events.progress(task, event)
  local all = tonumber(event.total) or 0
  local how = all > 0 and sizes(tonumber(event.completed) or 0, all) or harmless(event.status)
  task.job:update(("%s %s"):format(task.model, how), ("Pulling %s to %s: %s"):format(task.model, task.to, how))
end

function events.loading(task)
  task.job.short = "loading " .. task.model
end

function events.remark(task, event)
  if not task.quiet then
    say.warn(harmless(event.text))
  end
end

function events.done(task, event)
  local server, url = harmless(event.server), models.where(task.model)
  if not event.pulled and event.url ~= url then -- what was pulled is found there as soon as the daemon has seen it
    local sentence = "%s is loaded on %s, and requests for it go to %s."
    return finish(task, sentence:format(task.model, server, state.name(url)), vim.log.levels.WARN)
  end
  local worth = event.pulled or not task.quiet
  finish(task, worth and ("%s is loaded on %s."):format(task.model, server) or nil)
end

function events.error(task, event)
  if event.code == "declined" then
    finish(task)
  elseif event.code == "interrupted" then
    finish(task, ("%s: %s"):format(task.model, harmless(event.text)))
  else
    fail(task, event.text)
  end
end

---@param task ollama_locate.Task
---@return ollama_locate.Ensuring
local function by_command(task)
  return program.ensure({
    model = task.model,
    on = task.on,
    on_event = function(event)
      local act = events[event.event]
      if act and running[key(task)] == task then
        act(task, event)
        vim.cmd.redrawstatus({ bang = true })
      end
    end,
    on_end = function(problem)
      if problem and running[key(task)] == task then
        fail(task, problem)
      end
    end,
  })
end

---How to get what is not there.
---@param task ollama_locate.Task
---@return string
local function advice(task)
  local on = task.on and " --on " .. task.on or ""
  local words = ("%s is not on %s. To pull it: %s ensure %s%s"):format(
    task.model,
    state.name(task.url),
    program.NAME,
    task.model,
    on
  )
  return program.here() and words or words .. " (a command that is not on your PATH; the project's README has it)"
end

---@param task ollama_locate.Task
---@return ollama_locate.Ensuring
local function by_curl(task)
  local stop = curl.load(task.url, task.model, function(answer)
    local problem = answer.problem
    if answer.status == 404 and problem and problem:find(task.model, 1, true) then
      local seen = offered[key(task)]
      offered[key(task)] = true
      finish(task, not (task.quiet and seen) and harmless(advice(task)) or nil, vim.log.levels.WARN)
    elseif problem then
      fail(task, ("%s: %s"):format(state.name(task.url), problem))
    else
      finish(task, not task.quiet and ("%s is loaded on %s."):format(task.model, state.name(task.url)) or nil)
    end
  end)
  return { answer = function() end, stop = stop }
end

---@param model? string
---@param options? { quiet?: boolean }
function M.ensure(model, options)
  model = models.real(model or require("ollama_locate.settings").default_model())
  local url, source = models.where(model)
  local by_hand = source == "variable" or source == "default" -- the daemon's choice is not what counts here
  local quiet = options ~= nil and options.quiet == true
  local task = { model = model, url = url, quiet = quiet, on = by_hand and url or nil }
  if running[key(task)] then
    return task.quiet or say.notify(("%s is being loaded or pulled already."):format(harmless(model)))
  end
  running[key(task)] = task
  task.job = progress.start("ollama_locate.ensure " .. model)
  task.job.short = "loading " .. model
  vim.cmd.redrawstatus({ bang = true })
  local known = not by_hand or state.server(url) ~= nil
  task.process = (known and program.here() and by_command or by_curl)(task)
end

---End whatever is being loaded and pulled, as ctrl-C does. Ollama keeps what has come.
function M.stop()
  for _, task in pairs(running) do
    task.process.stop()
  end
end

vim.api.nvim_create_autocmd("VimLeavePre", {
  group = vim.api.nvim_create_augroup("ollama_locate.ensure", { clear = true }),
  callback = M.stop,
})

return M
