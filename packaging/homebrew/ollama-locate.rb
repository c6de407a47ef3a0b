# A template: `make formula` fills in what begins with @, from dist/ and dev.lock.
class OllamaLocate < Formula
  include Language::Python::Virtualenv

  desc "Finds the best live Ollama on your tailnet and keeps one small env file true"
  homepage "@HOMEPAGE@"
  url "@URL@"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "python@3.14"

  # @RESOURCES@

  def install
    venv = virtualenv_create(libexec, "python3.14")
    venv.pip_install resources
    # The man pages are made by the program itself, for which all is here: an environment apart would be built anew.
    venv.pip_install_and_link buildpath, build_isolation: false
    generate_completions_from_executable(bin/"ollama-locate", "completion")
  end

  service do
    run [opt_bin/"ollama-located"]
    keep_alive crashed: true
    process_type :background
    log_path var/"log/ollama-located.log"
    error_log_path var/"log/ollama-located.log"
  end

  test do
    # Neither this machine's tailnet nor its Ollama: the default is printed, and 4 says so.
    (testpath/"ollama-locate/config.toml").write <<~TOML
      tailscale = "/nowhere"
      tailscale_socket = "/nowhere"
      local = "off"
    TOML
    ENV["XDG_CONFIG_HOME"] = testpath
    ENV["OLLAMA_LOCATE_STATE_DIR"] = testpath/"state"
    assert_match version.to_s, shell_output("#{bin}/ollama-locate --version")
    assert_equal "http://localhost:11434", shell_output("#{bin}/ollama-located --once", 4).strip
    assert_equal "http://localhost:11434\n", (testpath/"state/endpoint").read
    assert_path_exists man1/"ollama-locate.1"
  end
end
