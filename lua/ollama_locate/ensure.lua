--- Sees to it that a model is loaded on the server in use, and offers to pull it where the server lacks it.
local curl = require("ollama_locate.curl")
local progress = require("ollama_locate.progress")
local say = require("ollama_locate.say")
local state = require("ollama_locate.state")

local M = {}

local LOAD = { "--max-time", "600" } -- a large model from a slow disk
local PULL = { "--speed-limit", "1", "--speed-time", "120" } -- Ollama reports several times a second while it pulls

---@class ollama_locate.Task
---@field url string
---@field model string
---@field quiet boolean nobody asked for it by hand: say only what the user must know
---@field where string the server's name, for sentences

local busy = {} ---@type table<string, boolean>
local offered = {} ---@type table<string, boolean>

---@param task ollama_locate.Task
---@return string
local function key(task)
  return task.url .. " " .. task.model
end

---@param text string from the network
---@return string
local function harmless(text)
  return (text:gsub("%c", " "):sub(1, 300))
end

---@param job ollama_locate.Job
---@param task ollama_locate.Task
---@param sentence? string
---@param level? integer
local function finish(job, task, sentence, level)
  busy[key(task)] = nil
  job:finish(sentence, level)
end

---@param done integer
---@param all integer
---@return string
local function sizes(done, all)
  if all >= 1e9 then
    return ("%.1f/%.1f GB"):format(done / 1e9, all / 1e9)
  end
  return ("%.1f/%.1f MB"):format(done / 1e6, all / 1e6)
end

---Adds up the layers of a pull; outside the main loop, so that a flood of lines costs nothing there.
---@param job ollama_locate.Job
---@param task ollama_locate.Task
---@return fun(line: table)
local function meter(job, task)
  local layers, waiting = {}, false
  local function show()
    waiting = false
    local done, all = 0, 0
    for _, layer in pairs(layers) do
      done, all = done + layer.done, all + layer.all
    end
    job:update(
      ("%s %s"):format(task.model, sizes(done, all)),
      ("Pulling %s to %s: %s"):format(task.model, task.where, sizes(done, all))
    )
  end
  return function(line)
    if type(line.digest) == "string" and type(line.total) == "number" then
      layers[line.digest] = { done = tonumber(line.completed) or 0, all = line.total }
      if not waiting then
        waiting = true
        vim.schedule(show)
      end
    end
  end
end

---@param task ollama_locate.Task
local function pull(task)
  local load = M._load
  local job = progress.start("ollama_locate.pull " .. task.model)
  busy[key(task)] = true
  job:update("pulling " .. task.model, ("Pulling %s to %s ..."):format(task.model, task.where))
  curl.post({
    url = task.url .. "/api/pull",
    body = { model = task.model },
    patience = PULL,
    on_line = meter(job, task),
    on_end = function(answer)
      local problem = answer.problem or (answer.last.status ~= "success" and "the answer ended too early")
      if problem then
        local sentence = "%s could not be pulled to %s: %s"
        return finish(job, task, sentence:format(task.model, task.where, harmless(problem)), vim.log.levels.ERROR)
      end
      finish(job, task, ("%s is on %s now."):format(task.model, task.where))
      load(task)
    end,
  })
end

---@param task ollama_locate.Task
local function offer(task)
  local missing = ("%s is not on %s."):format(task.model, task.where)
  if task.quiet then
    if offered[key(task)] then
      return
    end
    offered[key(task)] = true
    if vim.api.nvim_get_mode().mode ~= "n" then -- a question would swallow what is being typed
      return say.warn(missing .. " To pull it there: :OllamaLocate ensure " .. task.model)
    end
  end
  local yes = ("Pull %s to %s"):format(task.model, task.where)
  vim.ui.select({ yes, "Not now" }, { prompt = missing }, function(choice)
    if choice == yes then
      pull(task)
    end
  end)
end

---@param task ollama_locate.Task
---@param answer ollama_locate.Answer
---@return boolean
local function is_missing(task, answer)
  return answer.status == 404 and type(answer.problem) == "string" and answer.problem:find(task.model, 1, true) ~= nil
end

---@param task ollama_locate.Task
function M._load(task)
  local job = progress.start("ollama_locate.load " .. task.model)
  busy[key(task)] = true
  job.short = "loading " .. task.model
  vim.cmd.redrawstatus({ bang = true })
  curl.post({
    url = task.url .. "/api/generate",
    body = { model = task.model, stream = false }, -- no prompt: it is loaded, and nothing is generated
    patience = LOAD,
    on_end = function(answer)
      if is_missing(task, answer) then
        finish(job, task)
        offer(task)
      elseif answer.problem then
        local sentence = "%s could not be loaded on %s: %s"
        finish(job, task, sentence:format(task.model, task.where, harmless(answer.problem)), vim.log.levels.WARN)
      else
        finish(job, task, not task.quiet and ("%s is loaded on %s."):format(task.model, task.where) or nil)
      end
    end,
  })
end

---@param model? string
---@param options? { quiet?: boolean }
function M.ensure(model, options)
  model = model or require("ollama_locate.settings").model
  if not model:find("^[%w][%w._:/-]*$") then
    return say.fail(("`%s` is no name of a model."):format(harmless(model)))
  end
  local url = require("ollama_locate.endpoint").find()
  local quiet = options ~= nil and options.quiet == true
  local task = { url = url, model = model, quiet = quiet, where = state.name(url) } ---@type ollama_locate.Task
  if not busy[key(task)] then
    M._load(task)
  elseif not quiet then
    say.notify(("%s is being loaded or pulled on %s already."):format(model, task.where))
  end
end

return M
