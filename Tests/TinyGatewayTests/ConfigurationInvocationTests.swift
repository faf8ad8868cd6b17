// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationInvocationTests {
  private func check(
    _ words: String, expecting expected: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let arguments = ["tinygateway"] + words.split(separator: " ").map { String($0) }
    var outcome: String
    do throws(ConfigurationError) {
      let invocation = try Invocation(arguments: arguments.map { ByteString(utf8: $0) })
      outcome = "\(invocation.command)"
      for operand in invocation.operands { outcome += " \(operand.text)" }
      if let file = invocation.passphraseFile { outcome += " passphrase=\(file.text)" }
      if invocation.leavesOutLogs { outcome += " without logs" }
      for option in invocation.options { outcome += " \(option.key.text)=\(option.value.text)" }
    } catch {
      outcome = error.text.text
    }
    #expect(outcome == expected, sourceLocation: sourceLocation)
  }

  @Test func readsCommandsAndOptions() {
    check("", expecting: "serve")
    check("serve", expecting: "serve")
    check("--port 1 serve --log-level=debug", expecting: "serve port=1 log_level=debug")
    check("--ca-file=", expecting: "serve ca_file=")
    check("--tls-key=a=b", expecting: "serve tls_key=a=b")
    check("check-config --board x", expecting: "checkConfig board=x")
    check("passwd", expecting: "passwd")
    check("passwd ann --data-dir d", expecting: "passwd ann data_dir=d")
    check("passwd -- --ann", expecting: "passwd --ann")
    check("import a.db --data-dir d", expecting: "importing a.db data_dir=d")
    check("import --dry-run a.db --product new-api", expecting: "importing a.db")
    check("help import", expecting: "help import")
    check("--version", expecting: "version")
    check("version", expecting: "version")
    check("--help", expecting: "help")
    check("-h", expecting: "help")
    check("backup f --without-logs", expecting: "backup f without logs")
    check("--data-dir d restore f", expecting: "restore f data_dir=d")
    check("restore --passphrase-file p f", expecting: "restore f passphrase=p")
    check("backup --passphrase-file=p f", expecting: "backup f passphrase=p")
    check("help restore", expecting: "help restore")
    check("help passwd", expecting: "help passwd")
    check("passwd --help", expecting: "help passwd")
  }

  @Test func saysWhatIsWrong() {
    let commands =
      "write serve, check-config, doctor, passwd, backup, restore, import, version or help\n"
    check("start", expecting: "command line: start: is no command; " + commands)
    check("help start", expecting: "command line: start: is no command; " + commands)
    check(
      "serve x", expecting: "command line: x: is one word too many; see tinygateway --help\n")
    check("backup", expecting: "command line: backup: needs the name of a file\n")
    check(
      "restore a b", expecting: "command line: b: is one word too many; see tinygateway --help\n")
    check(
      "restore a --without-logs", expecting: "command line: --without-logs: is for backup only\n")
    check(
      "passwd --passphrase-file p",
      expecting: "command line: --passphrase-file: is for backup and restore only\n")
    check(
      "import", expecting: "command line: import: needs a file, as in import one-api.db\n")
    check(
      "import a.db --product x",
      expecting: "command line: --product: must be one-api or new-api\n")
    check(
      "serve --dry-run", expecting: "command line: --dry-run: there is no such setting\n")
    check("--port", expecting: "command line: --port: needs a value, as in --port 3000\n")
    check("--port --help", expecting: "command line: --port: needs a value, as in --port 3000\n")
    check(
      "--prot 80",
      expecting: "command line: --prot: there is no such setting; did you mean --port?\n")
    check(
      "-port 80", expecting: "command line: -port: there is no such setting; did you mean --port?\n"
    )
    check(
      "--foo=1 --bar serve",
      expecting: "command line: --foo: there is no such setting\n"
        + "command line: --bar: there is no such setting; did you mean --board?\n")
  }
}
