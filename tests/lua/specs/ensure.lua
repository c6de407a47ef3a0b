--- Loading and pulling by the real command, on two servers that speak HTTP.
local t = require("tools")

local GPU, NAS = os.getenv("PULLER"), os.getenv("OTHER")

---@param config? string
---@param lists? table<string, string[]>
---@param gpu? string its URL
local function publish(config, lists, gpu)
  t.command()
  t.publish_all({
    servers = { { "gpu", gpu or GPU }, { "nas", NAS } },
    lists = lists or { gpu = { "mistral:latest" }, nas = { "mistral:latest", "only-nas:1b" } },
    config = config,
  })
  vim.cmd("runtime plugin/ollama_locate.lua")
end

---@param model string
---@param yes boolean
---@return { text: string, level: integer?, options: table? }[] notices
---@return string[] prompts
local function start(model, yes)
  local notices, prompts = t.notices(), t.answer(yes)
  vim.cmd("OllamaLocate ensure " .. model)
  return notices, prompts
end

local function nothing_runs()
  t.wait(function()
    return not require("ollama_locate.progress").text()
  end, "the end", 15000)
end

---A pull that fails: the command's own sentence, and whatever HTTP said.
---@param model string
---@param words string
local function fails(model, words)
  return {
    ("a pull that fails, %s"):format(model),
    function()
      publish()
      local notice = t.said(start(model, true), model .. " is not loaded: gpu: ")
      t.has(notice.text, words)
      t.eq(vim.log.levels.ERROR, notice.level)
    end,
  }
end

---What no server hears of.
---@param words string of the command line
---@param config string
---@param wanted string
local function refused(words, config, wanted)
  return {
    ("%s is refused"):format(words),
    function()
      publish(config)
      local notices, prompts = start(words, true)
      t.said(notices, wanted)
      nothing_runs()
      t.eq({ {}, {}, {} }, { t.asked(), t.asked("OTHER_ASKED"), prompts })
    end,
  }
end

---A command of another version, or another program of that name.
---@param script string
---@param wanted string
local function strange(script, wanted)
  return {
    ("a strange command: %s"):format(wanted),
    function()
      publish()
      t.program("ollama-locate", script)
      t.said(start("mistral", true), "mistral is not loaded: " .. wanted)
      nothing_runs()
    end,
  }
end

return {
  {
    "a model that is there is loaded, without a question",
    function()
      publish()
      local notices, prompts = start("mistral", true)
      t.eq("ollama gpu, loading mistral", require("ollama_locate").statusline())
      t.said(notices, "mistral is loaded on gpu.")
      t.eq({ { "/api/generate mistral:latest" }, {}, {} }, { t.asked(), t.asked("OTHER_ASKED"), prompts })
      t.eq("ollama gpu", require("ollama_locate").statusline())
    end,
  },
  {
    "without a name: the model of the chats, or of setup()",
    function()
      publish()
      require("ollama_locate.settings").chat = "only-nas:1b"
      t.said(start("", true), "only-nas:1b is loaded on nas.")
      require("ollama_locate").setup({ model = "mistral" })
      t.said(start("", true), "mistral is loaded on gpu.")
    end,
  },
  {
    "one that only another server has is loaded there, and requests for it go there",
    function()
      publish()
      local notices, prompts = start("only-nas:1b", true)
      t.said(notices, "only-nas:1b is loaded on nas.")
      t.eq({ {}, {} }, { t.asked(), prompts })
      t.eq(NAS, (require("ollama_locate").url({ model = "only-nas:1b" })))
    end,
  },
  {
    "one that nobody has is offered, pulled with progress, and loaded",
    function()
      publish()
      local notices, prompts = start("slow", true)
      local lines = {} ---@type table<string, boolean>
      t.wait(function()
        lines[require("ollama_locate").statusline()] = true
        return notices[#notices] and notices[#notices].text == "slow is loaded on gpu."
      end, "it is loaded", 20000)
      t.eq({ "slow is not on any server that answers. Pull slow to gpu?" }, prompts)
      t.eq({ "/api/pull slow:latest", "/api/generate slow:latest" }, t.asked())
      local steps = 0
      for line in pairs(lines) do
        steps = steps + (line:find("^ollama gpu, slow %d+%.%d/100%.0 MB$") and 1 or 0)
        assert(not line:find("%", 1, true), line)
      end
      assert(steps >= 2, "the statusline shows how far it is: " .. vim.inspect(lines))
      -- 800 lines came in 2 s: a notification a second, and the last one.
      assert(#notices <= 6, vim.inspect(notices))
      t.eq(notices[1].options.id, notices[2].options.id, "they replace each other")
      t.eq(1, notices[2].options.replace)
    end,
  },
  {
    "declined, nothing is pulled",
    function()
      publish()
      local notices, prompts = start("absent", false)
      nothing_runs()
      t.eq({ {}, {}, 1 }, { t.asked(), notices, #prompts })
    end,
  },
  {
    "never to a machine of no_pull: it is asked for the next one",
    function()
      publish('[models]\nno_pull = ["gpu"]')
      local notices, prompts = start("absent", true)
      t.said(notices, "absent is loaded on nas.")
      t.eq(
        { "absent is not on any server that answers. Pull absent to nas, which is not the current endpoint?" },
        prompts
      )
      t.eq({ {}, { "/api/pull absent:latest", "/api/generate absent:latest" } }, { t.asked(), t.asked("OTHER_ASKED") })
    end,
  },
  {
    "never to a machine of no_pull that a variable names; what it has is loaded",
    function()
      publish('[models]\nno_pull = ["gpu"]')
      vim.env.OLLAMA_ENDPOINT = GPU
      local notices, prompts = start("absent", true)
      t.said(notices, "absent is not loaded: gpu does not have absent:latest, and by [models] no_pull of the config")
      t.eq({}, prompts)
      t.said(start("mistral", true), "mistral is loaded on gpu.")
      t.eq({ "/api/generate mistral:latest" }, t.asked())
    end,
  },
  {
    "a variable set by hand: on that server and no other, and it is asked",
    function()
      publish()
      vim.env.OLLAMA_ENDPOINT = NAS
      local notices, prompts = start("absent", true)
      t.said(notices, "absent is loaded on nas.")
      t.eq({ "absent is not on nas. Pull absent to nas?" }, prompts)
      t.eq({}, t.asked())
    end,
  },
  refused("absent", '[models]\nno_pull = ["*"]', "no server that answers has absent:latest, and by [models] no_pull"),
  refused("coder", '[models.alias]\ncoder = ["a:1", "b:2"]', "this is an alias; name the model: a:1 or b:2"),
  refused("a/../b", "", "a/../b is not loaded: argument MODEL: this is no model's name: letters, digits and"),
  refused("--help", "", "--help is not loaded: argument MODEL: this is no model's name"),
  refused("gpt-oss:120b-cloud", "", "runs at ollama.com: what you say to it would leave your tailnet"),
  {
    "an alias is the first of its models that some server has",
    function()
      publish('[models.alias]\ncoder = ["none:1b", "only-nas:1b"]')
      t.said(start("coder", true), "only-nas:1b is loaded on nas.")
      t.eq(NAS, (require("ollama_locate").url({ model = "coder" })))
      t.eq({ "coder", "mistral:latest", "only-nas:1b" }, vim.fn.getcompletion("OllamaLocate ensure ", "cmdline"))
    end,
  },
  fails("denied", "the registry has no such model"),
  fails("halfway", "The same command goes on from there"),
  fails("floods", "no line of a pull"),
  {
    "who lists it and has it not: the remark, and the question",
    function()
      publish("", { gpu = { "lies:latest" }, nas = {} })
      local notices, prompts = start("lies", false)
      t.said(notices, "gpu lists lies:latest, and says that it is not there")
      nothing_runs()
      t.eq(1, #prompts)
    end,
  },
  {
    "it is loaded where requests for it do not go: that is said",
    function()
      publish(nil, nil, "http://127.0.0.1:9")
      local notice = t.said(start("mistral", true), "mistral is loaded on nas, and requests for it go to gpu.")
      t.eq(vim.log.levels.WARN, notice.level)
    end,
  },
  {
    "asked twice, it is done once",
    function()
      publish("", { gpu = { "hangs:latest" }, nas = {} })
      local notices = start("hangs", true)
      vim.cmd("OllamaLocate ensure hangs")
      t.said(notices, "hangs is being loaded or pulled already.")
      t.wait(function()
        return #t.asked() > 0
      end, "the request", 15000)
      t.pass(100)
      t.eq(1, #t.asked())
    end,
  },
  {
    "stop, and leaving Neovim, end a pull; the same command goes on from there",
    function()
      publish()
      for _, stop in ipairs({ "OllamaLocate stop", "doautocmd VimLeavePre" }) do
        local notices = start("slow", true)
        t.said(notices, "Pulling slow to gpu: ")
        vim.cmd(stop)
        t.said(notices, "slow: stopped; what has come is kept by Ollama, the same command goes on from there")
        nothing_runs()
      end
      t.said(start("slow", true), "slow is loaded on gpu.")
    end,
  },
  {
    "stopped while it is asked: an answer that comes later does nothing",
    function()
      publish()
      local choose ---@type fun()?
      local notices = start("absent", true)
      vim.ui.select = function(items, _, answer)
        choose = function()
          answer(items[1])
        end
      end
      t.wait(function()
        return choose
      end, "the question", 15000)
      vim.cmd("OllamaLocate stop")
      t.said(notices, "absent: stopped; nothing was changed")
      t.pass(300)
      assert(choose)()
      t.pass(300)
      t.eq({}, t.asked())
    end,
  },
  {
    "a server that never answers: the editor never stood still",
    function()
      publish("", { gpu = { "hangs:latest" }, nas = {} })
      t.never_stands_still(function()
        start("hangs", true)
        t.pass(1000)
      end)
      t.eq("ollama gpu, loading hangs", require("ollama_locate").statusline())
    end,
  },
  strange(
    'echo "usage: x" >&2; echo "ollama-locate: error: unrecognized arguments: --ask" >&2; exit 2',
    "unrecognized arguments: --ask"
  ),
  strange("echo '{\"event\":7}'; echo '[1'; echo yes; exit 3", "`ollama-locate ensure` ended with 3"),
  strange("exec cat /nonexistent/file", "cat: /nonexistent/file: No such file"),
}
