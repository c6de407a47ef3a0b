--- Who is told of a change, and of which.
local t = require("tools")

---@return ollama_locate.Change[] changes
---@return fun() stop
local function listen()
  local changes = {}
  return changes, require("ollama_locate").on_change(function(change)
    changes[#changes + 1] = change
  end)
end

---@param changes ollama_locate.Change[]
---@param count integer
local function come(changes, count)
  t.wait(function()
    return #changes >= count
  end, ("change %d"):format(count))
  t.eq(count, #changes)
end

return {
  {
    "each replacement is told, with what was and what is",
    function()
      t.publish(t.ONE)
      local changes = listen()
      for round = 1, 3 do
        t.publish(round % 2 == 1 and t.TWO or t.ONE)
        come(changes, round)
      end
      t.eq({ old = t.TWO, new = t.ONE, source = "file" }, changes[2])
    end,
  },
  {
    "User OllamaLocateChanged has the same data",
    function()
      t.publish(t.ONE)
      local data = {}
      vim.api.nvim_create_autocmd("User", {
        pattern = "OllamaLocateChanged",
        callback = function(args)
          data[#data + 1] = args.data
        end,
      })
      require("ollama_locate").setup()
      t.pass(100)
      t.eq({}, data, "to start is no change")
      t.publish(t.TWO)
      come(data, 1)
      t.eq({ old = t.ONE, new = t.TWO, source = "file" }, data[1])
    end,
  },
  {
    "a burst is one change, the same endpoint is none",
    function()
      t.publish(t.ONE)
      local changes = listen()
      for number = 1, 20 do
        t.publish(("http://100.64.0.%d:11434"):format(number + 10))
      end
      come(changes, 1)
      t.eq("http://100.64.0.30:11434", changes[1].new)
      t.publish("http://100.64.0.30:11434", { round = 2 })
      t.pass(200)
      t.eq(1, #changes)
    end,
  },
  {
    "stopped, it is not told; a function given twice is stopped one at a time",
    function()
      t.publish(t.ONE)
      local count = 0
      local function add()
        count = count + 1
      end
      local stop = require("ollama_locate").on_change(add)
      local stop_too = require("ollama_locate").on_change(add)
      stop()
      stop()
      t.publish(t.TWO)
      t.pass(200)
      t.eq(1, count)
      stop_too()
      t.publish(t.ONE)
      t.pass(200)
      t.eq(1, count)
    end,
  },
  {
    "a function that fails does not keep the next from being told",
    function()
      t.publish(t.ONE)
      local notices = t.notices()
      require("ollama_locate").on_change(function()
        error("boom")
      end)
      local changes = listen()
      t.publish(t.TWO)
      come(changes, 1)
      t.has(notices[1].text, "boom")
    end,
  },
  {
    "a folder that is made later, and one that is made anew",
    function()
      local folder = t.folder()
      assert(vim.uv.fs_rmdir(folder))
      local changes = listen()
      for round, url in ipairs({ t.ONE, t.TWO }) do
        vim.fn.delete(folder, "rf")
        vim.fn.mkdir(folder, "p", "0o700")
        t.publish(url)
        vim.api.nvim_exec_autocmds("FocusGained", {})
        come(changes, round)
      end
      t.publish(t.ONE)
      come(changes, 3)
      t.eq({ t.HOME, t.ONE, t.TWO }, { changes[1].old, changes[2].old, changes[3].old })
    end,
  },
  {
    "a variable set inside Neovim is a change",
    function()
      t.publish(t.ONE)
      local changes = listen()
      vim.env.OLLAMA_ENDPOINT = t.TWO
      vim.api.nvim_exec_autocmds("FocusGained", {})
      come(changes, 1)
      t.eq({ old = t.ONE, new = t.TWO, source = "variable" }, changes[1])
    end,
  },
  {
    "export: the variables of this Neovim and its children follow, by the rule of the marker",
    function()
      t.put("env", ("OLLAMA_ENDPOINT=%s\nA=%s/v1\nMINE=x\n"):format(t.ONE, t.ONE))
      vim.env.MINE = "by hand"
      require("ollama_locate").setup({ export = true })
      local function child()
        return vim.trim(vim.system({ "sh", "-c", 'echo "$OLLAMA_ENDPOINT $A $MINE"' }, { text = true }):wait().stdout)
      end
      t.eq(("%s %s/v1 by hand"):format(t.ONE, t.ONE), child())
      t.eq(("A=%s/v1,OLLAMA_ENDPOINT=%s"):format(t.ONE, t.ONE), os.getenv("OLLAMA_LOCATE_APPLIED"))
      t.put("env", ("OLLAMA_ENDPOINT=%s\n"):format(t.TWO))
      t.wait(function()
        return os.getenv("OLLAMA_ENDPOINT") == t.TWO
      end, "the variable follows")
      t.eq(t.TWO .. "  by hand", child(), "what is no longer published is unset")
      t.eq({ t.TWO, "file" }, { require("ollama_locate").url() })
    end,
  },
  {
    "without export no variable is touched",
    function()
      t.publish(t.ONE)
      require("ollama_locate").setup()
      t.pass(50)
      t.eq(nil, os.getenv("OLLAMA_ENDPOINT"))
    end,
  },
}
