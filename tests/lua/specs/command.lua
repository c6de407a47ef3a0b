--- :OllamaLocate, its completion, and what is loaded before it is asked.
local t = require("tools")

---@return { text: string, level: integer? }[]
local function ready()
  t.publish(t.ONE)
  vim.cmd("runtime plugin/ollama_locate.lua")
  return t.notices()
end

---@param line string
---@return string[]
local function completed(line)
  return vim.fn.getcompletion(line, "cmdline")
end

---@param line string
---@param script string of the program `ollama-locate`
---@param wanted string
---@param level integer
local function runs(line, script, wanted, level)
  return {
    ("%s runs the command: %s"):format(line, (wanted:gsub("\n", ", "))),
    function()
      local notices = ready()
      t.program("ollama-locate", script)
      t.never_stands_still(function()
        vim.cmd(line)
      end)
      t.wait(function()
        return #notices > 0
      end, "what it said")
      t.eq({ wanted, level }, { notices[1].text, notices[1].level })
    end,
  }
end

local INFO, ERROR = vim.log.levels.INFO, vim.log.levels.ERROR

return {
  runs("OllamaLocate refresh", 'sleep 0.2; echo "did $*"', "did refresh", INFO),
  runs("OllamaLocate pin", 'echo "did $*"', "did pin", INFO),
  runs("OllamaLocate pin gpu-box", 'echo URL; echo "gpu-box is pinned" >&2', "URL\ngpu-box is pinned", INFO),
  runs("OllamaLocate pin gpu-box", 'echo "did $*"', "did pin gpu-box", INFO),
  runs("OllamaLocate pin http://10.0.0.9:1", 'echo "did $*"', "did pin http://10.0.0.9:1", INFO),
  runs("OllamaLocate unpin", 'echo "did $*"', "did unpin", INFO),
  runs("OllamaLocate refresh", 'echo "no daemon runs here" >&2; exit 1', "no daemon runs here", ERROR),
  runs("OllamaLocate unpin", "exit 2", "`ollama-locate unpin` ended with 2.", ERROR),
  {
    "a command that is missing is one sentence",
    function()
      local notices = ready()
      vim.env.PATH = "/nonexistent"
      vim.cmd("OllamaLocate refresh")
      t.eq(1, #notices)
      t.has(notices[1].text, "`ollama-locate` is not on your PATH")
    end,
  },
  {
    "an option is no server",
    function()
      local notices = ready()
      vim.cmd("OllamaLocate pin --help")
      t.eq("`--help` is no server.", notices[1].text)
    end,
  },
  {
    "what cannot be typed as one word is completed as a URL; what is never chosen is not offered",
    function()
      ready()
      t.publish(t.ONE, {
        servers = {
          { name = "gpu-box", url = t.ONE, kind = "peer" },
          { name = "this machine", url = t.HOME, kind = "local" },
          { name = "me", url = t.TWO, kind = "self_check" },
        },
      })
      t.eq({ "gpu-box", t.HOME }, completed("OllamaLocate pin "))
    end,
  },
  {
    "words that it does not know",
    function()
      local notices = ready()
      vim.cmd("OllamaLocate fly")
      t.eq("`fly` is none of: chat, ensure, pin, refresh, status, stop, unpin", notices[1].text)
      vim.cmd("OllamaLocate pin one two")
      t.eq("`:OllamaLocate pin` takes no more words.", notices[2].text)
    end,
  },
  {
    "status, which is also what no word means",
    function()
      local notices = ready()
      vim.cmd("OllamaLocate status")
      vim.cmd("OllamaLocate")
      t.eq(notices[1].text, notices[2].text)
      t.eq({
        t.ONE .. "  (found by the daemon)",
        "gpu-box, fresh: it comes first in the order",
        "models: mistral:latest, qwen3:8b",
        "The daemon runs, heard 0 s ago.",
      }, vim.split(notices[1].text, "\n"))
    end,
  },
  {
    "status without anything",
    function()
      vim.cmd("runtime plugin/ollama_locate.lua")
      local notices = t.notices()
      vim.cmd("OllamaLocate")
      t.has(notices[1].text, t.HOME .. "  (nothing was found, nothing is set)\nThe daemon has written no heartbeat")
    end,
  },
  {
    "completion",
    function()
      ready()
      t.eq({ "chat", "ensure", "pin", "refresh", "status", "stop", "unpin" }, completed("OllamaLocate "))
      t.eq({ "pin" }, completed("OllamaLocate p"))
      t.eq({ "gpu-box", "nas" }, completed("OllamaLocate pin "))
      t.eq({ "nas" }, completed("OllamaLocate pin n"))
      t.eq({}, completed("OllamaLocate ensure "))
      t.publish(t.ONE, {
        best = { ["qwen3:8b"] = "n2:11434", ["llava:7b"] = "n3:11434" },
        aliases = { coder = { "qwen3:8b" } },
        servers = {
          { key = "n2:11434", url = t.ONE, models = { "qwen3:8b", "llava:7b" } },
          { key = "n3:11434", url = t.TWO, models = { "llava:7b" } },
        },
      })
      t.eq({ "coder", "llava:7b", "qwen3:8b" }, completed("OllamaLocate ensure "))
      vim.env.OLLAMA_ENDPOINT = t.TWO
      t.eq({ "coder", "llava:7b" }, completed("OllamaLocate ensure "))
      vim.env.OLLAMA_ENDPOINT = nil
      t.eq({}, completed("OllamaLocate refresh "))
      t.eq({}, completed("OllamaLocate pin gpu-box "))
    end,
  },
  {
    "chat without CodeCompanion is one sentence",
    function()
      local notices = ready()
      vim.cmd("OllamaLocate chat")
      t.eq(1, #notices)
      t.has(notices[1].text, "codecompanion.nvim is not installed")
    end,
  },
  {
    "nothing is loaded until it is asked for",
    function()
      ready()
      for name in pairs(package.loaded) do
        assert(not name:find("^ollama_locate"), name)
      end
      assert(
        vim.fn.maparg("<Plug>(ollama-locate-chat)", "n") ~= "" or vim.fn.mapcheck("<Plug>(ollama-locate-chat)") ~= ""
      )
      require("ollama_locate")
      for name in pairs(package.loaded) do
        assert(not name:find("^ollama_locate%."), name)
      end
    end,
  },
  {
    "the help has its tags, and each of them once",
    function()
      local doc = vim.fn.tempname()
      vim.fn.mkdir(doc)
      vim.fn.writefile(vim.fn.readfile(t.ROOT .. "/doc/ollama-locate.txt"), doc .. "/ollama-locate.txt")
      vim.cmd.helptags(doc)
      local tags = table.concat(vim.fn.readfile(doc .. "/tags"), "\n")
      for _, name in ipairs({ "url", "state", "on_change", "statusline", "ensure", "setup" }) do
        t.has(tags, ("ollama_locate.%s()\t"):format(name))
      end
      for _, tag in ipairs({ ":OllamaLocate", "OllamaLocateChanged", "<Plug>(ollama-locate-chat)", "ollama-locate" }) do
        t.has(tags, tag .. "\t")
      end
      for _, line in ipairs(vim.fn.readfile(doc .. "/ollama-locate.txt")) do
        assert(vim.fn.strdisplaywidth(line) <= 80, line)
      end
    end,
  },
}
