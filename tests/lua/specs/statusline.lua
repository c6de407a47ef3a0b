--- A few words, and never a `%`.
local t = require("tools")

---@param name string
---@param publish fun()
---@param wanted string
local function case(name, publish, wanted)
  return {
    name,
    function()
      publish()
      t.eq(wanted, require("ollama_locate").statusline())
    end,
  }
end

return {
  case("found", function()
    t.publish(t.ONE)
  end, "ollama gpu-box"),
  case("stale", function()
    t.publish(t.ONE, { decision = { verdict = "stale" } })
  end, "ollama gpu-box (stale)"),
  case("pinned", function()
    t.publish(t.ONE, { decision = { reason = "pinned" } })
  end, "ollama gpu-box (pinned)"),
  case("by hand, a server that the daemon knows", function()
    t.publish(t.ONE)
    vim.env.OLLAMA_ENDPOINT = t.TWO
  end, "ollama nas (by hand)"),
  case("by hand, another", function()
    vim.env.OLLAMA_ENDPOINT = "https://ollama.example:8443/%{system('id')}"
  end, "ollama ollama.example:8443/??system??id??? (by hand)"),
  case("nothing", function() end, "ollama localhost (default)"),
  case("without state.json", function()
    t.put("env", "OLLAMA_ENDPOINT=http://[fd7a::1]:11434\n")
  end, "ollama [fd7a::1]"),
  case("a name that would run in a statusline", function()
    t.publish(t.ONE, { servers = { { name = "%{system('id')}\27[31m", url = t.ONE } } })
  end, "ollama ??system??id?????31m"),
  {
    "lualine's component says the same",
    function()
      t.publish(t.ONE)
      package.preload["lualine.component"] = function()
        return {
          extend = function()
            return {}
          end,
        }
      end
      t.eq("ollama gpu-box", dofile(t.ROOT .. "/lua/lualine/components/ollama_locate.lua"):update_status())
    end,
  },
  {
    "the line is drawn again when the endpoint moves",
    function()
      t.publish(t.ONE)
      vim.o.laststatus = 2
      vim.o.statusline = "%{v:lua.require'ollama_locate'.statusline()}"
      t.eq("ollama gpu-box", vim.api.nvim_eval_statusline(vim.o.statusline, {}).str)
      t.publish(t.TWO)
      t.eq("ollama nas", vim.api.nvim_eval_statusline(vim.o.statusline, {}).str)
    end,
  },
}
