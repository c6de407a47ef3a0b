--- Where the files are looked for, and whom they are believed.
local t = require("tools")

---@return { name: string, environment: table<string, string>, expected: string }[]
local function shared()
  local file = os.getenv("PATH_CASES") -- of tests/test_paths.py; not set while the cases are listed
  return file and vim.json.decode(table.concat(vim.fn.readfile(file), "\n")) or {}
end

---@param mode string as chmod takes it
---@param wanted table
---@param sentence? string
local function with_mode(mode, wanted, sentence)
  t.publish(t.ONE)
  assert(vim.system({ "chmod", mode, t.folder() }):wait().code == 0)
  t.eq(wanted, { require("ollama_locate").url() })
  local _, problem = require("ollama_locate.folder").trusted()
  if sentence then
    t.has(assert(problem), sentence)
  else
    t.eq(nil, problem)
  end
end

return {
  {
    "the table of tests/test_paths.py",
    function()
      local cases = shared()
      assert(#cases >= 8, "the table did not come")
      local names = { "OLLAMA_LOCATE_STATE_DIR", "XDG_STATE_HOME", "HOME" }
      local home = os.getenv("HOME")
      for _, case in ipairs(cases) do
        for _, name in ipairs(names) do
          vim.env[name] = case.environment[name] or (name == "HOME" and home or nil)
        end
        t.eq(case.expected, (require("ollama_locate.folder").path()), case.name)
      end
    end,
  },
  {
    "a relative OLLAMA_LOCATE_STATE_DIR is refused",
    function()
      vim.env.OLLAMA_LOCATE_STATE_DIR = "here"
      local path, problem = require("ollama_locate.folder").path()
      t.eq(nil, path)
      t.has(assert(problem), "must be an absolute path, not `here`")
      t.eq({ t.HOME, "default" }, { require("ollama_locate").url() })
      t.eq({}, require("ollama_locate").state())
    end,
  },
  {
    "the system service is read where the user has no endpoint",
    function()
      vim.env.OLLAMA_LOCATE_STATE_DIR = nil
      local folder = require("ollama_locate.folder")
      local own = os.getenv("HOME") .. "/.local/state/ollama-locate"
      folder.system = vim.fn.tempname()
      t.eq(own, (folder.path()))
      for _, step in ipairs({ { folder.system, t.ONE }, { own, t.TWO } }) do
        vim.fn.mkdir(step[1], "p", "0o700")
        t.put("endpoint", step[2] .. "\n", step[1])
        t.put("env", ("OLLAMA_ENDPOINT=%s\n"):format(step[2]), step[1])
        t.eq(step[1], (folder.path()))
        t.eq({ step[2], "file" }, { require("ollama_locate").url() })
      end
    end,
  },
  {
    "0750 is believed",
    function()
      with_mode("0750", { t.ONE, "file" })
    end,
  },
  {
    "a group that can write is not",
    function()
      with_mode("0770", { t.HOME, "default" }, "Others can write")
    end,
  },
  {
    "everybody who can write is not",
    function()
      with_mode("0707", { t.HOME, "default" }, "chmod go-w")
    end,
  },
  {
    "another user's folder is not believed",
    function()
      t.publish(t.ONE)
      local folder = require("ollama_locate.folder")
      local real = vim.uv.getuid()
      local stat = vim.uv.fs_stat
      vim.uv.fs_stat = function(path)
        local info = stat(path)
        return info and vim.tbl_extend("force", info, { uid = real + 4711 })
      end
      local _, problem = folder.trusted()
      vim.uv.fs_stat = stat
      t.has(assert(problem), "belongs to uid")
    end,
  },
  {
    "a file in the folder's place",
    function()
      vim.env.OLLAMA_LOCATE_STATE_DIR = vim.fn.tempname()
      vim.fn.writefile({ "x" }, t.folder())
      t.eq({ t.HOME, "default" }, { require("ollama_locate").url() })
    end,
  },
}
