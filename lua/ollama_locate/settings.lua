--- What setup() was told, and CodeCompanion's extension.
local M = {}

---@type boolean
M.export = false
---@type string?
M.model = nil
---@type string? the model of a new chat
M.chat = nil

---@param opts ollama_locate.Options
function M.set(opts)
  if opts.export ~= nil then
    M.export = opts.export
  end
  M.model = opts.model or M.model
end

---The model that is meant where none is named.
---@return string
function M.default_model()
  return M.model or M.chat or "mistral"
end

return M
