--- lualine: sections = { lualine_x = { "ollama_locate" } }
local Component = require("lualine.component"):extend()

---@return string
function Component.update_status()
  return require("ollama_locate").statusline()
end

return Component
