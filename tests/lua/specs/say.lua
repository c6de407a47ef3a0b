--- Sentences that come by themselves never stop whoever is typing.
local t = require("tools")

---What Neovim's own vim.notify wrote, in a screen of 80 columns.
---@param act fun()
---@return string[]
local function written(act)
  vim.o.columns = 80
  act()
  return vim.split(vim.fn.execute("messages"), "\n", { trimempty = true })
end

return {
  {
    "a text wider than the screen is cut",
    function()
      local lines = written(function()
        require("ollama_locate.say").notify(("x"):rep(200))
      end)
      t.eq(1, #lines)
      assert(vim.fn.strdisplaywidth(lines[1]) <= vim.v.echospace, #lines[1])
      t.has(lines[1], "x…")
    end,
  },
  {
    "a failure wider than the screen is in :messages to its end",
    function()
      local reason = ("word %d "):rep(60):format(unpack(vim.fn.range(60)))
      local lines = written(function()
        require("ollama_locate.say").fail(reason)
      end)
      for _, line in ipairs(lines) do
        assert(vim.fn.strdisplaywidth(line) <= vim.v.echospace, line)
      end
      t.has(table.concat(lines), vim.trim(reason))
      t.has(lines[#lines], "word 0 word 1")
      assert(vim.endswith(lines[#lines], "…"), lines[#lines])
    end,
  },
  {
    "lines are joined",
    function()
      t.eq(
        { "one two" },
        written(function()
          require("ollama_locate.say").fail("one\n  two")
        end)
      )
    end,
  },
  {
    "another notifier gets the whole of it",
    function()
      local notices = t.notices()
      vim.o.columns = 80
      require("ollama_locate.say").warn(("x"):rep(200))
      t.eq(("x"):rep(200), notices[1].text)
    end,
  },
}
