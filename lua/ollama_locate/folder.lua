--- Where the state folder is, and whether what it says is believed.
--- daemon/ollama_locate/query.py answers the same; one table of cases tests both.
local uv = vim.uv ---@type uv

local M = {}

---Of the system service. Tests put it elsewhere.
M.system = "/var/lib/ollama-locate"

local OTHERS_WRITE = 0x12 -- 022: group or world

---@param path string?
---@return boolean
local function absolute(path)
  return path ~= nil and path:sub(1, 1) == "/"
end

---@return string? path
---@return string? problem a sentence, where there is no path
function M.path()
  local said = os.getenv("OLLAMA_LOCATE_STATE_DIR")
  if said and said ~= "" then
    if absolute(said) then
      return said
    end
    return nil, ("OLLAMA_LOCATE_STATE_DIR must be an absolute path, not `%s`."):format(said)
  end
  local base = os.getenv("XDG_STATE_HOME")
  if not absolute(base) then
    local home = uv.os_homedir()
    if not absolute(home) then
      return nil, "You have no home folder; set HOME, or OLLAMA_LOCATE_STATE_DIR."
    end
    base = home .. "/.local/state"
  end
  local own = base .. "/ollama-locate"
  if not uv.fs_stat(own .. "/endpoint") and uv.fs_stat(M.system .. "/endpoint") then
    return M.system
  end
  return own
end

---The folder, if it may be read: the user or root owns it, or it is the system service's; nobody else can write it.
---@return string? path
---@return string? problem a sentence, where it may not
function M.trusted()
  local path, problem = M.path()
  if not path then
    return nil, problem
  end
  local info = uv.fs_stat(path)
  if not info or info.type ~= "directory" then
    return nil, ("%s is not there: has the daemon, ollama-located, ever run here?"):format(path)
  end
  if info.uid ~= uv.getuid() and info.uid ~= 0 and path ~= M.system then
    return nil, ("%s belongs to uid %d: what it says is not believed."):format(path, info.uid)
  end
  if bit.band(info.mode, OTHERS_WRITE) ~= 0 then
    local mend = "Others can write %s: what it says is not believed. Mend it with: chmod go-w '%s'"
    return nil, mend:format(path, path)
  end
  return path
end

return M
