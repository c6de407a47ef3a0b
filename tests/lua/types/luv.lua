---@meta
--- What this plugin uses of luv, for the type checker: Neovim ships no types of it.

---@class uv
local Uv = {}

---@class uv.Time
---@field sec integer
---@field nsec integer

---@class uv.Stat
---@field type string
---@field mode integer
---@field uid integer
---@field dev integer
---@field ino integer
---@field size integer
---@field mtime uv.Time

---@class uv.Handle
local Handle = {}
function Handle:close() end
---@return boolean
function Handle:is_closing() end

---@class uv.Timer: uv.Handle
local Timer = {}
---@param timeout integer
---@param again integer
---@param callback fun()
---@return integer
function Timer:start(timeout, again, callback) end

---@class uv.FsEvent: uv.Handle
local FsEvent = {}
---@param path string
---@param flags table
---@param callback fun(problem?: string, name?: string)
---@return integer? started
function FsEvent:start(path, flags, callback) end

---@type table<string, integer>
Uv.constants = {}
---@return uv.Timer
function Uv.new_timer() end
---@return uv.FsEvent
function Uv.new_fs_event() end
---@param path string
---@return uv.Stat?
function Uv.fs_stat(path) end
---@param path string
---@return uv.Stat?
function Uv.fs_lstat(path) end
---@param path string
---@param flags integer
---@param mode integer
---@return integer?
function Uv.fs_open(path, flags, mode) end
---@param fd integer
---@param size integer
---@param offset integer
---@return string?
function Uv.fs_read(fd, size, offset) end
---@param fd integer
function Uv.fs_close(fd) end
---@return integer
function Uv.getuid() end
---@return string?
function Uv.os_homedir() end
---@return number
function Uv.now() end
---@return number
function Uv.hrtime() end
---@return integer seconds
---@return integer micros
function Uv.gettimeofday() end
