--- :checkhealth ollama_locate
local t = require("tools")

---@return string
local function report()
  vim.cmd.checkhealth("ollama_locate")
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

---@param url string
local function found(url)
  t.publish(url, { servers = { { name = "gpu-box", url = url, models = { "mistral:latest" } } } })
end

return {
  {
    "all is well",
    function()
      t.command()
      found(assert(os.getenv("PULLER")))
      local text = report()
      t.has(text, "The daemon runs, heard 0 s ago.")
      t.has(text, "The command `ollama-locate` is on your PATH.")
      t.has(text, "gpu-box (found by the daemon)")
      t.has(text, "Ollama 0.17.4 answers in ")
      t.has(text, "mistral is there.")
      t.has(text, "codecompanion.nvim is not installed.")
      assert(not text:find("WARNING") and not text:find("ERROR"), text)
    end,
  },
  {
    "a heart that stopped",
    function()
      found(assert(os.getenv("PULLER")))
      local old = os.time() - 600
      assert(vim.uv.fs_utime(t.folder() .. "/verdict", old, old))
      t.has(report(), "The daemon was heard last 10 min ago: it does not run. Start it: ollama-located")
    end,
  },
  {
    "a variable that hides what was found",
    function()
      t.publish(t.ONE)
      vim.env.OLLAMA_ENDPOINT = os.getenv("PULLER")
      t.has(report(), "OLLAMA_ENDPOINT was set by hand and hides what the daemon found, " .. t.ONE)
    end,
  },
  {
    "a variable that is no URL",
    function()
      vim.env.OLLAMA_ENDPOINT = "http://"
      t.has(report(), "does not look like the URL of a server")
    end,
  },
  {
    "nobody answers",
    function()
      found("http://127.0.0.1:9")
      t.has(report(), "ERROR It does not answer: the server cannot be reached.")
    end,
  },
  {
    "somebody else answers",
    function()
      found(assert(os.getenv("PULLER")) .. "/api/version?")
      vim.env.OLLAMA_ENDPOINT = os.getenv("PULLER") .. "/elsewhere"
      t.has(report(), "Something answers there, with HTTP 404, and it is not Ollama.")
    end,
  },
  {
    "a model that is missing",
    function()
      local url = assert(os.getenv("PULLER"))
      t.publish(url, { servers = { { name = "gpu-box", url = url, models = { "qwen3:8b" } } } })
      t.has(report(), "mistral is on no server.")
      vim.env.OLLAMA_ENDPOINT = url
      t.has(report(), "mistral is not among its models.")
    end,
  },
  {
    "the model that is configured, where it is",
    function()
      local url = assert(os.getenv("PULLER"))
      require("ollama_locate").setup({ model = "qwen3:8b" })
      local nas = { key = "n3:11434", name = "nas", url = t.TWO, models = { "qwen3:8b" } }
      local best = { ["qwen3:8b"] = "n3:11434" }
      t.publish(url, { best = best, servers = { { name = "gpu-box", url = url, models = { "x:1" } }, nas } })
      t.has(report(), "qwen3:8b is on nas, and requests for it go there.")
    end,
  },
  {
    "without the command",
    function()
      found(assert(os.getenv("PULLER")))
      t.has(report(), "The command `ollama-locate` is not on your PATH: models cannot be pulled, nor servers pinned.")
    end,
  },
  {
    "a folder that others can write",
    function()
      assert(vim.system({ "chmod", "0777", t.folder() }):wait().code == 0)
      t.has(report(), "Others can write")
    end,
  },
  {
    "turned off",
    function()
      vim.env.OLLAMA_LOCATE_OFF = "1"
      t.has(report(), "OLLAMA_LOCATE_OFF is set: the daemon's files are not read.")
    end,
  },
  {
    "no curl",
    function()
      found(assert(os.getenv("PULLER")))
      vim.env.PATH = "/nonexistent"
      t.has(report(), "There is no curl on your PATH")
    end,
  },
  {
    "what the daemon complains of",
    function()
      t.publish(t.ONE, { problems = { "the config cannot be read" } })
      vim.env.OLLAMA_ENDPOINT = os.getenv("PULLER")
      t.has(report(), "The daemon says: the config cannot be read")
    end,
  },
}
