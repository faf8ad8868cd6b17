// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

/// A directory that vanishes with its owner.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tinygateway-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ content: String, to name: String) throws -> String {
    let file = path + "/" + name
    try content.write(toFile: file, atomically: false, encoding: .utf8)
    return file
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }
}

/// Loads settings as a start would, with a data directory of its own.
struct ConfigurationFixture {
  let directory: TemporaryDirectory

  init(_ yaml: String? = nil, board: String? = nil) throws {
    directory = try TemporaryDirectory()
    if let yaml { try directory.write(yaml, to: "config.yaml") }
    if let board { try directory.write(board, to: "board.yaml") }
  }

  /// The settings in force, or everything that is wrong with the directory's path left out.
  func load(
    _ words: [String] = [], environment: [String] = [], namesDirectory: Bool = true
  ) -> Result<Configuration, ConfigurationFailure> {
    let arguments =
      ["tinygateway"] + words + (namesDirectory ? ["--data-dir", directory.path] : [])
    do throws(ConfigurationError) {
      let invocation = try Invocation(arguments: arguments.map { ByteString(utf8: $0) })
      var loader = ConfigurationLoader(
        invocation: invocation, environment: environment.map { ByteString(utf8: $0) })
      loader.boards.systemFile = ByteString(utf8: directory.path + "/no-system-board.yaml")
      loader.boards.systemFolders = [ByteString(utf8: directory.path)]
      return .success(try loader.load())
    } catch {
      let text = error.text.text.replacingOccurrences(of: directory.path + "/", with: "")
      return .failure(ConfigurationFailure(text: text))
    }
  }
}

struct ConfigurationFailure: Error {
  let text: String
}

struct ConfigurationLoaderTests {
  private func check(
    yaml: String? = nil, board: String? = nil, _ words: [String] = [], _ environment: [String] = [],
    port: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let fixture = try ConfigurationFixture(yaml, board: board)
    switch fixture.load(words, environment: environment) {
    case .success(let configuration):
      #expect(configuration.port == port, sourceLocation: sourceLocation)
    case .failure(let failure):
      Issue.record("\(failure.text)", sourceLocation: sourceLocation)
    }
  }

  @Test func takesTheStrongestSource() throws {
    let (file, board) = ("port: 4", "port: 5")
    try check(port: 3000)
    try check(board: board, port: 5)
    try check(yaml: file, board: board, port: 4)
    try check(yaml: file, board: board, [], ["PORT=3"], port: 3)
    try check(yaml: file, board: board, [], ["PORT=3", "TINYGATEWAY_PORT=2"], port: 2)
    try check(
      yaml: file, board: board, ["--port", "1"], ["PORT=3", "TINYGATEWAY_PORT=2"], port: 1)
    try check(yaml: file, ["--port=1", "--port=9"], port: 9)
  }

  @Test func ignoresEmptyVariablesAndThoseOfKubernetes() throws {
    try check(yaml: "port: 4", [], ["PORT=", "TINYGATEWAY_PORT="], port: 4)
    try check(
      [],
      [
        "TINYGATEWAY_PORT=tcp://10.0.0.1:3000", "TINYGATEWAY_SERVICE_HOST=10.0.0.1",
        "TINYGATEWAY_PORT_3000_TCP_ADDR=10.0.0.1",
      ], port: 3000)
  }

  @Test func readsEveryKindOfValue() throws {
    let fixture = try ConfigurationFixture(
      """
      listen: "::1"
      log_level: 'debug' # loud
      trusted_proxies: 10.0.0.0/8, fd00::/8
      upstream_private: 192.168.0.0/16
      initial_root_password: "a\\"b # c'd\\\\"
      page_size: 1024
      journal_mode: persist
      log_limit_mb: 4096
      """)
    let configuration = try fixture.load().get()
    #expect(configuration.listen.text == "::1")
    #expect(configuration.logLevel == .debug)
    #expect(configuration.trustedProxies.count == 2)
    #expect(configuration.initialRootPassword == "a\"b # c'd\\")
    #expect(configuration.storage.pageByteCount == 1024)
    #expect(configuration.storage.logByteLimit == 4096 << 20)
    guard case .persist = configuration.storage.journalMode else {
      Issue.record("journal mode")
      return
    }
    let (inside, outside) = (IPAddress("192.168.1.1"), IPAddress("127.0.0.1"))
    #expect(inside.map(configuration.upstreamPrivate.permits) == true)
    #expect(outside.map(configuration.upstreamPrivate.permits) == false)
  }

  @Test func createsDirectoryAndFileAtFirstStart() throws {
    let fixture = try ConfigurationFixture()
    let directory = fixture.directory.path + "/new"
    let configuration = try fixture.load(
      ["--data-dir", directory + "/"], namesDirectory: false
    ).get()
    #expect(configuration.dataDirectory.text == directory)
    #expect(configuration.path("db.db").text == directory + "/db.db")
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(directory) == 0o700)
    #expect(try mode(directory + "/config.yaml") == 0o600)
  }

  @Test func checkConfigChangesNothing() throws {
    let fixture = try ConfigurationFixture()
    let directory = fixture.directory.path + "/new"
    _ = try fixture.load(["check-config", "--data-dir", directory], namesDirectory: false).get()
    #expect(!FileManager.default.fileExists(atPath: directory))
    _ = try fixture.load(["check-config"]).get()
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path).isEmpty)
  }

  @Test func takesTheDataDirectoryOfTheBoard() throws {
    let fixture = try ConfigurationFixture()
    let data = fixture.directory.path + "/flash"
    let board = try fixture.directory.write("data_dir: \(data)\n", to: "nor.yaml")
    let load = { fixture.load($0, environment: $1, namesDirectory: false) }
    let byPath = try load(["--board", board], []).get()
    #expect(byPath.dataDirectory.text == data)
    #expect(byPath.boardName == "nor")
    let byName = try load(["--board", "nor"], []).get()
    #expect(byName.boardFile.text == board)
    let other = fixture.directory.path + "/other"
    let byVariable = try load([], ["TINYGATEWAY_BOARD=nor", "TINYGATEWAY_DATA_DIR=\(other)"]).get()
    #expect(byVariable.dataDirectory.text == other)
  }

  @Test func forgetsTheBoardsAmountsWithItsMemoryLimit() throws {
    let fixture = try ConfigurationFixture(board: "memory_limit_mb: 512\ncache_kb: 8192\n")
    #expect(try fixture.load().get().storage.cacheKilobytes == 8192)
    #expect(try fixture.load(["--memory-limit-mb=24"]).get().storage.cacheKilobytes == 512)
  }

  @Test func readsAnotherFileWhenAsked() throws {
    let fixture = try ConfigurationFixture("port: 1\n")
    let other = try fixture.directory.write("port: 2\n", to: "other.yaml")
    #expect(try fixture.load(["--config", other]).get().port == 2)
  }

  @Test func pathsInFilesStartAtTheDataDirectory() throws {
    let fixture = try ConfigurationFixture("ca_file: roots.pem\n")
    try fixture.directory.write("", to: "roots.pem")
    let configuration = try fixture.load().get()
    #expect(configuration.caFile.text == fixture.directory.path + "/roots.pem")
  }

  @Test func saysWhatIsWrongWithTheDataDirectory() throws {
    func check(_ directory: String, _ expected: String) throws {
      let fixture = try ConfigurationFixture()
      switch fixture.load(["--data-dir", directory], namesDirectory: false) {
      case .success: Issue.record("\(directory) was accepted")
      case .failure(let failure):
        #expect(failure.text.hasPrefix("command line: --data-dir: \(directory) "))
        #expect(failure.text.contains(expected), "\(failure.text)")
      }
    }
    try check("/proc/version", "is a file; name a directory")
    try check("/proc/version/data", "leads through a file")
    try check("/nonexistent/parent/data", "its parent is missing; mount the medium")
  }
}

struct ConfigurationReloadTests {
  @Test func changesOnlyWhatMayChange() throws {
    let old = try ConfigurationFixture("port: 1\nlog_level: info\nretries: 1\n").load().get()
    let new = try ConfigurationFixture("port: 2\nlog_level: debug\nretries: 1\npage_size: 512\n")
      .load().get()
    let (mixed, ignored) = try old.reloaded(from: new)
    #expect(mixed.port == 1)
    #expect(mixed.logLevel == .debug)
    #expect(ignored.map(\.text) == ["port", "page_size", "data_dir"])
  }

  @Test func givesDefaultsBackWhenALineIsGone() throws {
    let old = try ConfigurationFixture("retries: 7\n").load().get()
    let new = try ConfigurationFixture("").load().get()
    #expect(try old.reloaded(from: new).configuration.retries == 3)
  }

  @Test func tellsWhereEqualValuesStandNow() throws {
    let old = try ConfigurationFixture("retries: 3\nport: 1\n").load().get()
    let new = try ConfigurationFixture("#\nport: 2\nqueue_limit: 64\n").load().get()
    let mixed = try old.reloaded(from: new).configuration
    #expect(mixed.origin(of: "retries").layer == .builtIn)
    #expect(mixed.origin(of: "queue_limit").line == 3)
    // This one is still the old one.
    #expect(mixed.origin(of: "port").line == 2 && mixed.port == 1)
    #expect(mixed.fileChecksum == new.fileChecksum && mixed.fileChecksum != old.fileChecksum)
  }

  @Test func readsATextInPlaceOfTheFile() throws {
    let fixture = try ConfigurationFixture("retries: 3\n")
    let words = ["tinygateway", "--data-dir", fixture.directory.path].map { ByteString(utf8: $0) }
    var loader = ConfigurationLoader(
      invocation: try Invocation(arguments: words), environment: [])
    loader.fileText = "retries: 4\n"
    let loaded = try loader.load()
    #expect(loaded.retries == 4)
    #expect(loaded.fileChecksum == CRC32.of(ByteString("retries: 4\n").bytes.span))
    #expect(try fixture.directory.read("config.yaml") == "retries: 3\n")
    loader.fileText = "retries: x\n"
    #expect(throws: ConfigurationError.self) { try loader.load() }
  }

  @Test func knowsTheFileThatItMade() throws {
    let fixture = try ConfigurationFixture()
    let made = try fixture.load().get()
    #expect(made.fileChecksum != 0)
    #expect(try fixture.load().get().fileChecksum == made.fileChecksum)
  }

  @Test func refusesAMixtureThatDoesNotFit() throws {
    let old = try ConfigurationFixture("memory_limit_mb: 24\n").load().get()
    let new = try ConfigurationFixture("memory_limit_mb: 96\nbody_held_limit_kb: 30000\n")
      .load().get()
    #expect(throws: ConfigurationError.self) { try old.reloaded(from: new) }
  }
}
