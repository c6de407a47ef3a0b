--- require("codecompanion").setup({ extensions = { ollama_locate = { opts = { model = "mistral" } } } })
local M = {}

---CodeCompanion calls this at the end of its own setup.
---@param options? ollama_locate.ExtensionOptions
function M.setup(options)
  require("ollama_locate.codecompanion").install(options)
end

M.exports = {
  ---@return string url
  ---@return ollama_locate.Source source
  url = function()
    return require("ollama_locate").url()
  end,
}

return M
