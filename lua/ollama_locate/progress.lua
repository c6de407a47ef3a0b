--- What is under way, for the statusline and for notifications that replace each other.
local uv = vim.uv ---@type uv

local M = {}

local GAP = 1000 -- ms between two notifications of one job

---@class ollama_locate.Job
---@field title string
---@field short string for the statusline, "" while there is nothing to say
---@field said number when the last notification was, in ms
---@field record any what vim.notify gave back: nvim-notify replaces by it
local Job = {}
Job.__index = Job

---@type ollama_locate.Job[]
local running = {}

---@param title string names the job for notifiers that replace by it
---@return ollama_locate.Job
function M.start(title)
  local job = setmetatable({ title = title, short = "", said = -GAP }, Job)
  running[#running + 1] = job
  return job
end

---What the statusline says of the jobs that run; nil where none does.
---@return string?
function M.text()
  local texts = {} ---@type string[]
  for _, job in ipairs(running) do
    if job.short ~= "" then
      texts[#texts + 1] = (job.short:gsub("[%c%%]", "?")) -- a statusline would run what follows a `%`
    end
  end
  return #texts > 0 and table.concat(texts, ", ") or nil
end

---@param sentence string
---@param level? integer
function Job:notify(sentence, level)
  local options = { title = "ollama-locate", id = self.title, replace = self.record }
  self.record = require("ollama_locate.say").notify(sentence, level, options)
end

---Say how far it is; at most once a second, however often it is called.
---@param short string
---@param sentence string
function Job:update(short, sentence)
  self.short = short
  local now = uv.now()
  if now - self.said >= GAP then
    self.said = now
    self:notify(sentence)
    vim.cmd.redrawstatus({ bang = true })
  end
end

---@param sentence? string
---@param level? integer
function Job:finish(sentence, level)
  for place, job in ipairs(running) do
    if job == self then
      table.remove(running, place)
    end
  end
  if sentence then
    self:notify(sentence, level)
  end
  vim.cmd.redrawstatus({ bang = true })
end

return M
