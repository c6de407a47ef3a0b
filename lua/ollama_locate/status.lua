--- What is so now, in sentences: for :OllamaLocate status and :checkhealth.
local folder = require("ollama_locate.folder")
local marker = require("ollama_locate.marker")
local state = require("ollama_locate.state")
local uv = vim.uv ---@type uv

local M = {}

local DEAD = 100 -- s without a heartbeat; the daemon's own readers say the same

---@type table<ollama_locate.Source, string>
M.SOURCE = {
  variable = "OLLAMA_ENDPOINT was set by hand, and wins",
  pin = "pinned",
  file = "found by the daemon",
  default = "nothing was found, nothing is set",
}

---The daemon's heartbeat: the time of the file `verdict`.
---@return number? seconds its age, nil where there is none
---@return boolean alive
function M.heartbeat()
  local path = folder.trusted()
  local info = path and uv.fs_stat(path .. "/verdict")
  if not info then
    return nil, false
  end
  local seconds, micros = uv.gettimeofday()
  local age = seconds + micros / 1e6 - info.mtime.sec - info.mtime.nsec / 1e9
  return age, math.abs(age) < DEAD
end

---@param age number seconds
---@return string
function M.ago(age)
  age = math.max(age, 0)
  if age < 120 then
    return ("%d s ago"):format(age)
  elseif age < 7200 then
    return ("%d min ago"):format(age / 60)
  end
  return ("%d h ago"):format(age / 3600)
end

---@return string sentence
---@return boolean good
function M.daemon()
  if marker.off() then
    return "OLLAMA_LOCATE_OFF is set: the daemon's files are not read.", false
  end
  local _, problem = folder.trusted()
  if problem then
    return problem, false
  end
  local age, alive = M.heartbeat()
  if not age then
    return "The daemon has written no heartbeat; start it: ollama-located", false
  elseif not alive then
    return ("The daemon was heard last %s: it does not run. Start it: ollama-located"):format(M.ago(age)), false
  end
  return ("The daemon runs, heard %s."):format(M.ago(age)), true
end

---@return string[]
function M.lines()
  local url, source = require("ollama_locate").url()
  local lines = { ("%s  (%s)"):format(url, M.SOURCE[source]) }
  local decision = state.get().decision
  if source ~= "variable" and source ~= "default" and decision and decision.endpoint == url then
    lines[#lines + 1] = ("%s, %s: %s"):format(state.name(url), decision.verdict, decision.text)
  end
  local models = state.models(url)
  if models then
    local names = vim.tbl_map(function(model)
      return model.name
    end, models)
    lines[#lines + 1] = "models: " .. (#names > 0 and table.concat(names, ", ") or "none")
  end
  lines[#lines + 1] = (M.daemon())
  return lines
end

return M
