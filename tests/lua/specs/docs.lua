--- The examples of the documentation are Lua, and the main one sets up what it promises.
local t = require("tools")

---@param page string
---@return string[] blocks
local function blocks(page)
  local text = table.concat(vim.fn.readfile(t.ROOT .. "/docs/" .. page), "\n")
  local found = {} ---@type string[]
  for block in text:gmatch("\n```lua\n(.-)\n```") do
    found[#found + 1] = block
  end
  return found
end

return {
  {
    "docs/neovim.md: the adapters, the defaults, the mappings",
    function()
      local given, extended ---@type table?, table
      extended = {}
      package.loaded["codecompanion"] = {
        setup = function(options)
          given = options
        end,
      }
      package.loaded["codecompanion.adapters"] = {
        extend = function(base, more)
          extended[more.name] = { base, more.schema.model.default }
          return more
        end,
      }
      local found = blocks("neovim.md")
      t.eq(1, #found)
      assert(loadstring(found[1]))()
      local options = assert(given)
      for _, adapter in pairs(options.adapters.http) do
        local made = adapter()
        assert(made.schema.model.choices[made.schema.model.default], "its model is among its choices")
      end
      t.eq({
        anthropic = { "anthropic", "claude-sonnet-5" },
        anthropic_opus = { "anthropic", "claude-opus-5" },
        anthropic_haiku = { "anthropic", "claude-haiku-4-5" },
      }, extended)
      t.eq("anthropic_haiku", options.interactions.chat.adapter)
      t.eq("anthropic_haiku", options.interactions.inline.adapter)
      t.eq({ ollama_locate = { opts = { model = "mistral" } } }, options.extensions)
      t.eq("<Plug>(ollama-locate-chat)", vim.fn.maparg(" cll", "n"))
      t.eq("<Plug>(ollama-locate-chat)", vim.fn.maparg(" cll", "x"))
      t.eq("<Plug>(ollama-locate-inline)", vim.fn.maparg(" cli", "n"))
      t.eq(
        "ollama localhost (default)",
        vim.trim((vim.api.nvim_eval_statusline(vim.o.statusline, {}).str:gsub("^%S+ *%S*", "")))
      )
    end,
  },
  {
    "docs/editors.md: each piece is Lua",
    function()
      local found = blocks("editors.md")
      t.eq(3, #found)
      for _, block in ipairs(found) do
        if not loadstring(block) then
          assert(loadstring("return {" .. block .. "}"))
        end
      end
    end,
  },
}
