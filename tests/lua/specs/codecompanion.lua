--- The adapter, the events and the mapping, on a stand-in for CodeCompanion that keeps what it is given.
--- tests/real/test_editor.py does the same with CodeCompanion itself.
local t = require("tools")

---The parts of CodeCompanion that are used, in the shape of v18 and later.
---@return table config
---@return table[] chats what `chat` was called with
local function stand_in()
  local config = {
    adapters = { http = { ollama = "ollama" } },
    interactions = { chat = { adapter = "anthropic_haiku" }, inline = { adapter = "anthropic_haiku" } },
  }
  local stock = { name = "ollama", schema = { model = { default = function() end, choices = function() end } } }
  local function extend(base, more)
    base = type(base) == "function" and base() or base == "ollama" and stock or base
    return vim.tbl_deep_extend("force", vim.deepcopy(base), more)
  end
  local chats = {}
  package.loaded["codecompanion.config"] = { config = config }
  package.loaded["codecompanion.adapters"] = {
    extend = extend,
    resolve = function(name)
      return extend(config.adapters.http[name], {})
    end,
  }
  package.loaded["codecompanion"] = {
    chat = function(arguments)
      chats[#chats + 1] = arguments
    end,
  }
  return config, chats
end

---@param options? table
---@return table adapter
---@return table config
local function installed(options, mine)
  local config = stand_in()
  config.adapters.http.ollama = mine or config.adapters.http.ollama
  require("codecompanion._extensions.ollama_locate").setup(options)
  return require("codecompanion.adapters").resolve("ollama"), config
end

---@param event string
---@param data table
local function fire(event, data)
  vim.api.nvim_exec_autocmds("User", { pattern = "CodeCompanion" .. event, data = data })
end

---A chat on ollama opens in a buffer, as CodeCompanion tells it.
---@param model string
local function open(model)
  fire("ChatAdapter", { bufnr = 7, adapter = { name = "ollama" } })
  fire("ChatModel", { bufnr = 7, adapter = { name = "ollama" }, model = model })
end

---@param url string
---@param models? table
local function found(url, models, inventory)
  t.publish(url, { servers = { { name = "gpu-box", url = url, models = models, inventory = inventory } } })
end

return {
  {
    "the URL is asked for at every request",
    function()
      local adapter = installed({ model = "mistral" })
      t.publish(t.ONE)
      t.eq(t.ONE, adapter.env.url())
      t.publish(t.TWO)
      t.eq(t.TWO, adapter.env.url())
      t.eq({ "mistral", "ollama" }, { adapter.schema.model.default, adapter.name })
    end,
  },
  {
    "it is that of the best server for the model, for whichever a chat has; a variable set by hand wins",
    function()
      local adapter = installed({ model = "mistral" })
      t.publish(t.ONE, { best = { ["mistral:latest"] = "n3:11434", ["qwen3:8b"] = "n2:11434" } })
      t.eq(t.TWO, adapter.env.url(adapter))
      adapter.schema.model.default = "qwen3:8b"
      t.eq(t.ONE, adapter.env.url(adapter))
      adapter.parameters = { model = "library/mistral" }
      t.eq(t.TWO, adapter.env.url(adapter))
      adapter.parameters = { model = "nobody has this" }
      t.eq(t.ONE, adapter.env.url(adapter))
      vim.env.OLLAMA_ENDPOINT = "http://10.0.0.9:1"
      adapter.parameters = nil
      t.eq("http://10.0.0.9:1", adapter.env.url(adapter))
    end,
  },
  {
    "an alias is put into its model, as Ollama knows none",
    function()
      local aliases = { coder = { "none:1b", "qwen3:8b" } }
      t.publish(t.ONE, { best = { ["qwen3:8b"] = "n3:11434" }, aliases = aliases })
      local adapter = installed({ model = "coder" })
      t.eq({ "qwen3:8b", t.TWO }, { adapter.schema.model.default, adapter.env.url(adapter) })
      t.eq("ollama gpu-box, qwen3:8b on nas", require("ollama_locate").statusline())
    end,
  },
  {
    "nothing said: mistral",
    function()
      t.eq("mistral", installed().schema.model.default)
    end,
  },
  {
    "an adapter of the user's own keeps its settings, and its model",
    function()
      local mine = { name = "ollama", opts = { think = 1 }, schema = { model = { default = "qwen3" } } }
      local adapter = installed({}, mine)
      t.eq({ "qwen3", { think = 1 } }, { adapter.schema.model.default, adapter.opts })
      t.eq(t.HOME, adapter.env.url())
    end,
  },
  {
    "choices are the models of the server that a variable names, one for two spellings",
    function()
      found(t.ONE, { "mistral:latest", "llava:7b" }, { { name = "llava:7b", can = { "vision" } } })
      vim.env.OLLAMA_ENDPOINT = t.ONE
      local choices = installed({ model = "mistral" }).schema.model.choices()
      local names = vim.tbl_keys(choices)
      table.sort(names)
      t.eq({ "llava:7b", "mistral" }, names)
      t.eq(choices["mistral"], choices["mistral:latest"])
      t.eq(nil, choices["mistral"].opts, "not known: CodeCompanion leaves everything on")
      t.eq({ can_use_tools = false, has_vision = true, can_reason = false }, choices["llava:7b"].opts)
      t.eq(nil, choices["nothing"])
    end,
  },
  {
    "choices are what all servers have; what a model can do, its best server says",
    function()
      local function can(what)
        return { { name = "llava:7b", can = { what } } }
      end
      t.publish(t.ONE, {
        best = { ["llava:7b"] = "n3:11434", ["mistral:latest"] = "n2:11434" },
        servers = {
          { key = "n2:11434", url = t.ONE, models = { "mistral:latest", "llava:7b" }, inventory = can("tools") },
          { key = "n3:11434", url = t.TWO, models = { "llava:7b" }, inventory = can("vision") },
        },
      })
      local choices = installed({ model = "mistral" }).schema.model.choices()
      t.eq({ "llava:7b", "mistral" }, vim.fn.sort(vim.tbl_keys(choices)))
      t.eq({ can_use_tools = false, has_vision = true, can_reason = false }, choices["llava:7b"].opts)
    end,
  },
  {
    "choices where nothing is known: the model itself",
    function()
      vim.env.OLLAMA_ENDPOINT = "http://10.0.0.9:1"
      local choices = installed({ model = "mistral" }).schema.model.choices
      t.eq({ "mistral" }, vim.tbl_keys(choices()))
    end,
  },
  {
    "a chat that opens loads its model, once",
    function()
      found(assert(os.getenv("PULLER")))
      local notices = t.notices()
      installed({ model = "mistral" })
      open("mistral")
      open("mistral")
      t.wait(function()
        return #t.asked() > 0 and not require("ollama_locate.progress").text()
      end, "it is loaded")
      t.eq({ "/api/generate mistral" }, t.asked())
      t.eq({}, notices)
    end,
  },
  {
    "a chat on another adapter loads nothing",
    function()
      found(assert(os.getenv("PULLER")))
      installed({ model = "mistral" })
      fire("ChatAdapter", { bufnr = 7, adapter = { name = "anthropic_haiku", model = { name = "x" } } })
      fire("ChatModel", { bufnr = 7, adapter = { name = "anthropic_haiku" }, model = "x" })
      fire("ChatAdapter", { bufnr = 7 })
      t.pass(100)
      t.eq({}, t.asked())
    end,
  },
  {
    "load = false",
    function()
      found(assert(os.getenv("PULLER")))
      installed({ load = false })
      open("mistral")
      t.pass(100)
      t.eq({}, t.asked())
    end,
  },
  {
    "a missing model is offered when the chat opens, once",
    function()
      t.command()
      t.publish_all({ servers = { { "gpu-box", os.getenv("PULLER") } } })
      local notices, prompts = t.notices(), t.answer(false)
      installed({ model = "absent" })
      for _ = 1, 2 do
        open("absent")
        t.wait(function()
          return not require("ollama_locate.progress").text()
        end, "the end", 15000)
        fire("ChatAdapter", { bufnr = 7 })
      end
      t.eq({ "absent is not on any server that answers. Pull absent to gpu-box?" }, prompts)
      t.eq({ {}, {} }, { notices, t.asked() })
    end,
  },
  {
    "while somebody types, a sentence instead of a question",
    function()
      t.command()
      t.publish_all({ servers = { { "gpu-box", os.getenv("PULLER") } } })
      local notices = t.notices()
      vim.ui.select = function()
        error("a question")
      end
      vim.api.nvim_get_mode = function()
        return { mode = "i", blocking = false }
      end
      installed({ model = "absent" })
      open("absent")
      local wanted = "absent is not on any server that answers. To pull it to gpu-box: :OllamaLocate ensure absent"
      t.eq(wanted, t.said(notices, "absent").text)
    end,
  },
  {
    "without the command, a sentence when the chat opens, once",
    function()
      found(assert(os.getenv("PULLER")))
      local notices = t.notices()
      installed({ model = "absent" })
      for round = 1, 2 do
        open("absent")
        t.wait(function()
          return #t.asked() == round and not require("ollama_locate.progress").text()
        end, "the answer")
        t.pass(50)
        fire("ChatAdapter", { bufnr = 7 })
      end
      t.eq(1, #notices)
      t.has(notices[1].text, "absent is not on gpu-box. To pull it: ollama-locate ensure absent")
    end,
  },
  {
    "the best server for the model moves while an answer comes, and the endpoint does not",
    function()
      local function best(key)
        local url = os.getenv("PULLER")
        local second = { key = "n3:11434", name = "nas", url = url }
        t.publish(t.ONE, { best = { ["mistral:latest"] = key }, servers = { { key = "n2:11434" }, second } })
      end
      best("n2:11434")
      local notices = t.notices()
      installed({ model = "mistral" })
      fire("RequestStarted", { id = 1, adapter = { name = "ollama", model = "mistral" } })
      fire("RequestStarted", { id = 2, adapter = { name = "ollama" } })
      fire("ChatAdapter", { bufnr = 8, adapter = { name = "ollama" } })
      best("n3:11434")
      t.said(notices, "Your next message goes to nas; this answer still comes from 100.64.0.2.")
      best("n3:11434")
      t.pass(150)
      t.eq(1, #notices)
    end,
  },
  {
    "the endpoint moves while an answer comes: a notice, and the model is loaded there",
    function()
      t.publish(t.ONE)
      local notices = t.notices()
      installed({ model = "mistral", load = false })
      open("mistral")
      fire("RequestStarted", { id = 1, adapter = { name = "anthropic_haiku" } })
      t.publish(t.TWO)
      t.pass(150)
      t.eq({}, notices, "another adapter's answer is none of ours")
      fire("RequestStarted", { id = 2, adapter = { name = "ollama" } })
      t.publish(t.ONE)
      t.wait(function()
        return #notices > 0
      end, "the notice")
      t.eq("Your next message goes to gpu-box; this answer still comes from nas.", notices[1].text)
      fire("RequestFinished", { id = 2 })
      t.publish(t.TWO)
      t.pass(150)
      t.eq(1, #notices)
    end,
  },
  {
    "an open chat's model is loaded on the server that took over, the endpoint or its own best one",
    function()
      t.publish("http://127.0.0.1:9")
      t.notices()
      installed({ model = "mistral" })
      open("mistral")
      found(assert(os.getenv("PULLER")))
      t.wait(function()
        return vim.list_contains(t.asked(), "/api/generate mistral")
      end, "it is loaded there")
      local url = os.getenv("PULLER")
      local second = { key = "n3:11434", url = url }
      t.publish("http://127.0.0.1:9", { servers = { { key = "n2:11434", url = "http://127.0.0.1:9" }, second } })
      t.wait(function()
        return require("ollama_locate.watch").watching() and require("ollama_locate").url() ~= url
      end, "it moved away")
      t.pass(200)
      local before = #t.asked()
      local best = { ["mistral:latest"] = "n3:11434" }
      t.publish("http://127.0.0.1:9", { best = best, servers = { { key = "n2:11434" }, second } })
      t.wait(function()
        return #t.asked() > before
      end, "it is loaded on the best one")
    end,
  },
  {
    "when everything is lost, nothing is loaded on the default, which nobody has seen",
    function()
      found(assert(os.getenv("PULLER")))
      local notices = t.notices()
      installed({ model = "mistral" })
      open("mistral")
      t.wait(function()
        return #t.asked() == 1
      end, "it is loaded")
      t.put("env", "")
      t.wait(function()
        return require("ollama_locate").statusline() == "ollama localhost (default)"
      end, "localhost")
      t.pass(200)
      t.eq({}, notices)
    end,
  },
  {
    "the mapping opens a chat on ollama, in words that no version takes for a prompt",
    function()
      local _, chats = stand_in()
      vim.cmd("runtime plugin/ollama_locate.lua")
      vim.keymap.set({ "n", "v" }, "<leader>cll", "<Plug>(ollama-locate-chat)")
      vim.api.nvim_feedkeys(vim.keycode("<leader>cll"), "mx", false)
      vim.cmd("OllamaLocate chat")
      local words = { params = { adapter = "ollama" }, fargs = { "ollama" }, args = "", range = 0 }
      t.eq({ words, words }, chats)
    end,
  },
  {
    "inline to ollama, and back; in the words of v17 too",
    function()
      local config = stand_in()
      local notices = t.notices()
      local toggle = require("ollama_locate.codecompanion").toggle_inline
      toggle()
      t.eq("ollama", config.interactions.inline.adapter)
      t.eq("The inline assistant uses ollama now.", notices[1].text)
      toggle()
      t.eq("anthropic_haiku", config.interactions.inline.adapter)
      config.strategies, config.interactions = config.interactions, nil
      toggle()
      t.eq("ollama", config.strategies.inline.adapter)
    end,
  },
  {
    "health looks at the adapter that CodeCompanion really uses",
    function()
      found(assert(os.getenv("PULLER")))
      local _, config = installed()
      vim.cmd.checkhealth("ollama_locate")
      local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
      t.has(text, "Its adapter `ollama` sends to " .. os.getenv("PULLER"))
      config.adapters.http.ollama = { name = "ollama", env = { url = "OLLAMA_HOST" }, schema = { model = {} } }
      vim.cmd.checkhealth("ollama_locate")
      text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
      t.has(text, "ERROR Its adapter `ollama` sends to OLLAMA_HOST, not to ")
    end,
  },
}
