--- The order, the marker, the switch; and what an env file may hold.
local t = require("tools")

local OURS = "OLLAMA_ENDPOINT=" .. t.ONE
local GOOD = OURS .. "\n"

---Name, this Neovim's environment, the env file, the answer.
local order = {
  { "nothing at all", {}, nil, { t.HOME, "default" } },
  { "found", {}, GOOD, { t.ONE, "file" } },
  {
    "a variable set by hand wins",
    { OLLAMA_ENDPOINT = "http://10.0.0.9:1" },
    GOOD,
    { "http://10.0.0.9:1", "variable" },
  },
  { "an empty variable is none", { OLLAMA_ENDPOINT = "" }, GOOD, { t.ONE, "file" } },
  { "the same value, and no marker: by hand", { OLLAMA_ENDPOINT = t.ONE }, GOOD, { t.ONE, "variable" } },
  {
    "sourced, and old by now: it follows",
    { OLLAMA_ENDPOINT = t.TWO, OLLAMA_LOCATE_APPLIED = "A=1,OLLAMA_ENDPOINT=" .. t.TWO },
    GOOD,
    { t.ONE, "file" },
  },
  {
    "sourced, then changed by hand",
    { OLLAMA_ENDPOINT = "http://10.0.0.9:1", OLLAMA_LOCATE_APPLIED = "OLLAMA_ENDPOINT=" .. t.TWO },
    GOOD,
    { "http://10.0.0.9:1", "variable" },
  },
  {
    "another name's entry is not ours",
    { OLLAMA_ENDPOINT = t.TWO, OLLAMA_LOCATE_APPLIED = "X_OLLAMA_ENDPOINT=" .. t.TWO },
    GOOD,
    { t.TWO, "variable" },
  },
  {
    "half an entry is not ours",
    { OLLAMA_ENDPOINT = t.ONE, OLLAMA_LOCATE_APPLIED = "OLLAMA_ENDPOINT=" .. t.ONE .. "4" },
    GOOD,
    { t.ONE, "variable" },
  },
  {
    "a value with a comma is never ours",
    { OLLAMA_ENDPOINT = "http://a,b", OLLAMA_LOCATE_APPLIED = "OLLAMA_ENDPOINT=http://a,b" },
    GOOD,
    { "http://a,b", "variable" },
  },
  {
    "sourced, and the daemon's files are gone",
    { OLLAMA_ENDPOINT = t.ONE, OLLAMA_LOCATE_APPLIED = OURS },
    nil,
    { t.HOME, "default" },
  },
  { "turned off", { OLLAMA_LOCATE_OFF = "1" }, GOOD, { t.HOME, "default" } },
  {
    "turned off, and sourced",
    { OLLAMA_LOCATE_OFF = "1", OLLAMA_ENDPOINT = t.ONE, OLLAMA_LOCATE_APPLIED = OURS },
    GOOD,
    { t.HOME, "default" },
  },
  {
    "turned off, and set by hand",
    { OLLAMA_LOCATE_OFF = "1", OLLAMA_ENDPOINT = t.TWO },
    GOOD,
    { t.TWO, "variable" },
  },
  { "OLLAMA_LOCATE_OFF=0 means on", { OLLAMA_LOCATE_OFF = "0" }, GOOD, { t.ONE, "file" } },
  { "an empty OLLAMA_LOCATE_OFF means on", { OLLAMA_LOCATE_OFF = "" }, GOOD, { t.ONE, "file" } },
  { "typed without a scheme", { OLLAMA_ENDPOINT = "10.0.0.9:1/" }, nil, { "http://10.0.0.9:1", "variable" } },
  { "typed with a path", { OLLAMA_ENDPOINT = "https://a.example/o/" }, nil, { "https://a.example/o", "variable" } },
}

---Name, the env file, the URL that is taken from it, if any.
local hostile = {
  { "https, IPv6", "OLLAMA_ENDPOINT=https://[fd7a:115c:a1e0::1]:11434\n", "https://[fd7a:115c:a1e0::1]:11434" },
  { "a proxy's path", "OLLAMA_ENDPOINT=https://ai.example:443/gpu-1/o\n", "https://ai.example:443/gpu-1/o" },
  { "other variables and the marker", "A=1\n" .. GOOD .. "OLLAMA_LOCATE_APPLIED=" .. OURS .. "\n", t.ONE },
  { "empty", "" },
  { "without the key", "OTHER=http://100.64.0.2:11434\n" },
  { "an empty value", "OLLAMA_ENDPOINT=\n" },
  { "half a line", "OLLAMA_ENDPOINT=http://100.64.0.2:114" },
  { "a good line without its end", OURS },
  { "CRLF", OURS .. "\r\n" },
  { "quotes", ('OLLAMA_ENDPOINT="%s"\n'):format(t.ONE) },
  { "a command", "OLLAMA_ENDPOINT=$(touch pwned)\n" },
  { "a command in a URL", "OLLAMA_ENDPOINT=http://`id`:1\n" },
  { "a comment", "# " .. GOOD },
  { "export", "export " .. GOOD },
  { "a blank before it", " " .. GOOD },
  { "a name that ends so", "MY_" .. GOOD },
  { "the path that programs add", "OLLAMA_ENDPOINT=http://100.64.0.2:11434/v1\n" },
  { "a trailing slash", "OLLAMA_ENDPOINT=http://100.64.0.2:11434/\n" },
  { "a login", "OLLAMA_ENDPOINT=http://me@100.64.0.2:11434\n" },
  { "another scheme", "OLLAMA_ENDPOINT=file://100.64.0.2\n" },
  { "no scheme", "OLLAMA_ENDPOINT=100.64.0.2:11434\n" },
  { "no host", "OLLAMA_ENDPOINT=http://\n" },
  { "binary", ("\0\255\1"):rep(1000) .. "\n" },
  { "a NUL in the value", "OLLAMA_ENDPOINT=http://100.64.0.2\0:11434\n" },
  { "10 MB", GOOD .. ("x"):rep(10 * 1024 * 1024) .. "\n" },
  { "one line of 64 KiB", "OLLAMA_ENDPOINT=http://" .. ("x"):rep(70000) .. "\n" },
}

local cases = {}

for _, row in ipairs(order) do
  cases[#cases + 1] = {
    "order: " .. row[1],
    function()
      if row[3] then
        t.put("env", row[3])
      end
      for name, value in pairs(row[2]) do
        vim.env[name] = value
      end
      t.eq(row[4], { require("ollama_locate").url() })
    end,
  }
end

for _, row in ipairs(hostile) do
  cases[#cases + 1] = {
    "env file: " .. row[1],
    function()
      t.put("env", row[2])
      t.eq({ row[3] or t.HOME, row[3] and "file" or "default" }, { require("ollama_locate").url() })
    end,
  }
end

vim.list_extend(cases, {
  {
    "a pin is told from a find",
    function()
      t.publish(t.ONE, { decision = { reason = "pinned" } })
      t.eq({ t.ONE, "pin" }, { require("ollama_locate").url() })
      t.publish(t.TWO, { decision = { reason = "pinned", endpoint = t.ONE } })
      t.eq({ t.TWO, "file" }, { require("ollama_locate").url() }, "state.json is of another moment")
    end,
  },
  {
    "suffix",
    function()
      t.publish(t.ONE)
      t.eq({ t.ONE .. "/v1", "file" }, { require("ollama_locate").url({ suffix = "/v1" }) })
    end,
  },
  {
    "a variable set inside Neovim wins at once, and gives way again",
    function()
      t.publish(t.ONE)
      vim.env.OLLAMA_ENDPOINT = t.TWO
      t.eq({ t.TWO, "variable" }, { require("ollama_locate").url() })
      vim.env.OLLAMA_ENDPOINT = nil
      t.eq({ t.ONE, "file" }, { require("ollama_locate").url() })
    end,
  },
  {
    "500 replacements, each seen by the very next call",
    function()
      for number = 1, 500 do
        local url = ("http://100.64.%d.%d:11434"):format(number % 2, number % 200 + 1)
        t.put("env", ("OLLAMA_ENDPOINT=%s\n"):format(url))
        t.eq(url, (require("ollama_locate").url()))
      end
    end,
  },
  {
    "60 KiB without an end of line do not block the editor",
    function()
      t.put("env", ("x"):rep(60000))
      t.never_stands_still(function()
        t.eq({ t.HOME, "default" }, { require("ollama_locate").url() })
      end)
    end,
  },
  {
    "a fifo in the file's place does not hang the editor",
    function()
      assert(vim.system({ "mkfifo", t.folder() .. "/env" }):wait().code == 0)
      t.never_stands_still(function()
        t.eq({ t.HOME, "default" }, { require("ollama_locate").url() })
      end)
    end,
  },
  {
    "a symbolic link in the file's place is not followed",
    function()
      local elsewhere = vim.fn.tempname()
      vim.fn.writefile({ OURS }, elsewhere)
      assert(vim.uv.fs_symlink(elsewhere, t.folder() .. "/env"))
      t.eq({ t.HOME, "default" }, { require("ollama_locate").url() })
    end,
  },
  {
    "it may be called from luv's callbacks",
    function()
      t.publish(t.ONE)
      local got ---@type string?
      local timer = vim.uv.new_timer()
      timer:start(0, 0, function()
        got = require("ollama_locate").url()
      end)
      t.wait(function()
        return got
      end, "the callback")
      t.eq(t.ONE, got)
    end,
  },
})

return cases
