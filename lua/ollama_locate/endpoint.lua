--- The order: a variable set by hand, then a pin, then what was found, then localhost.
local files = require("ollama_locate.files")
local folder = require("ollama_locate.folder")
local marker = require("ollama_locate.marker")

local M = {}

M.VARIABLE = "OLLAMA_ENDPOINT"
M.DEFAULT = "http://localhost:11434"

local LIMIT = 64 * 1024
local SAFE = "^[A-Za-z0-9:/._%-%[%]]+$"
local PLACE = "^https?://[A-Za-z0-9._%-%[%]:]+"
local PATH = PLACE .. "/[A-Za-z0-9._/%-]*[A-Za-z0-9._%-]$"

---Whole lines of NAME=value, without quotes; whatever else stands there was not written by the daemon.
---@param text string
---@return table<string, string>
local function parse(text)
  local variables = {} ---@type table<string, string>
  local lines = vim.split(text, "\n", { plain = true }) -- a pattern would take seconds for one long line
  lines[#lines] = nil -- it has no end: it is empty, or half a line
  for _, line in ipairs(lines) do
    local name, value = line:match("^([%a_][%w_]*)=(.*)$")
    if name and value and value:find(SAFE) then
      variables[name] = value
    end
  end
  return variables
end

---What the daemon publishes for every program's environment.
---@return table<string, string>
function M.published()
  local path = not marker.off() and folder.trusted()
  return path and files.parsed(path .. "/env", LIMIT, parse) or {}
end

---What the daemon writes: a path is a proxy's, and never the one that programs add.
---@param url string
---@return boolean
function M.is_published(url)
  return (url:find(PLACE .. "$") or url:find(PATH)) ~= nil and not url:find("/v1$")
end

---A person may have typed it without the scheme, or with a slash at its end.
---@param value string
---@return string
local function tidy(value)
  value = vim.trim(value)
  if not value:find("^%a[%w+.-]*://") then
    value = "http://" .. value
  end
  return (value:gsub("/+$", ""))
end

---@return string url
---@return ollama_locate.Source source
function M.find()
  local own = marker.by_hand(M.VARIABLE)
  if own then
    return tidy(own), "variable"
  end
  local url = M.published()[M.VARIABLE]
  if not url or not M.is_published(url) then
    return M.DEFAULT, "default"
  end
  local decision = require("ollama_locate.state").get().decision
  local pinned = decision and decision.reason == "pinned" and decision.endpoint == url
  return url, pinned and "pin" or "file"
end

return M
