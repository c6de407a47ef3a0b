--- The rule of the marker (docs/files.md), the same as in every shell: OLLAMA_LOCATE_APPLIED lists, as NAME=value
--- joined by commas, what ollama-locate has set. A variable is ours to change only if it is unset, empty, or
--- stands there with its present value. Any other value was set by hand, and wins.
local M = {}

local MARKER = "OLLAMA_LOCATE_APPLIED"

---Turned off by the user: the files are not read.
---@return boolean
function M.off()
  local value = os.getenv("OLLAMA_LOCATE_OFF")
  return value ~= nil and value ~= "" and value ~= "0"
end

---@param name string
---@return string? value nil unless the variable was set by hand
function M.by_hand(name)
  local value = os.getenv(name)
  if not value or value == "" then
    return nil
  end
  local marker = "," .. (os.getenv(MARKER) or "") .. ","
  -- Commas part the entries, so that a value with a comma cannot be one of them.
  if not value:find(",", 1, true) and marker:find((",%s=%s,"):format(name, value), 1, true) then
    return nil
  end
  return value
end

---Set this Neovim's own variables, as sourcing env.sh would. Not for luv callbacks: it writes the environment.
---@param published table<string, string>
function M.apply(published)
  local kept = {} ---@type table<string, string>
  for entry in (os.getenv(MARKER) or ""):gmatch("[^,]+") do
    local name, value = entry:match("^([%a_][%w_]*)=(.*)$")
    if not name then
      goto continue -- not an entry of ours
    elseif os.getenv(name) ~= value then
      kept[name] = value -- overridden by hand: when it gets this value back, it is ours again
    elseif published[name] == nil or M.off() then
      vim.env[name] = nil
    else
      kept[name] = value
    end
    ::continue::
  end
  if M.off() then
    vim.env[MARKER] = nil
    return
  end
  for name, value in pairs(published) do
    if not M.by_hand(name) then
      vim.env[name] = value
      kept[name] = value
    end
  end
  local entries = {} ---@type string[]
  for name, value in vim.spairs(kept) do
    entries[#entries + 1] = name .. "=" .. value
  end
  vim.env[MARKER] = table.concat(entries, ",")
end

return M
