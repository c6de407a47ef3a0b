--- What setup() was told.
local M = {}

---@type boolean
M.export = false
---@type string
M.model = "mistral"

---@param opts ollama_locate.Options
function M.set(opts)
  if opts.export ~= nil then
    M.export = opts.export
  end
  M.model = opts.model or M.model
end

return M
