// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationBoardsTests {
  /// `board-configs` of this checkout.
  private var folder: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("board-configs").path
  }

  @Test func everyBoardFileIsAccepted() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") }
    #expect(files.count >= 16)
    for file in files {
      let fixture = try ConfigurationFixture()
      let configuration = try fixture.load(["--board", folder + "/" + file]).get()
      #expect(configuration.boardName.text + ".yaml" == file)
      for key in [
        "target", "cpu_flags", "storage_medium", "file_system", "init_system", "log_place",
        "memory_limit_mb", "journal_mode", "synchronous", "locking_mode", "page_size", "cache_kb",
        "flush_interval_ms", "flush_rows", "log_limit_mb",
      ] as [StaticString] {
        #expect(!configuration.isDefault(key), "\(file) does not set \(key)")
      }
      // The data directory comes from the option here.
      #expect(
        try String(contentsOfFile: folder + "/" + file, encoding: .utf8).contains("\ndata_dir: /"))
    }
  }

  @Test func findsNamedBoardsBesideTheProgram() throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(
      atPath: directory.path + "/dist/armv7", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: directory.path + "/board-configs", withIntermediateDirectories: true)
    try directory.write("port: 1\n", to: "board-configs/mine.yaml")
    let program = directory.path + "/dist/armv7/tinygateway"
    let lookup = BoardLookup(program: ByteString(utf8: program))
    #expect(
      lookup.path(of: "mine")?.text
        == directory.path + "/dist/armv7/../../board-configs/mine.yaml")
    #expect(lookup.path(of: "yours") == nil)
    #expect(lookup.path(of: "a/yours") == "a/yours")
  }

  @Test func prefersTheBoardOfTheDataDirectory() throws {
    let directory = try TemporaryDirectory()
    let data = ByteString(utf8: directory.path)
    var lookup = BoardLookup(program: "tinygateway")
    lookup.systemFile = data + "/system.yaml"
    #expect(lookup.installedFile(dataDirectory: data, defaultDirectory: data) == nil)
    #expect(lookup.installedFile(dataDirectory: nil, defaultDirectory: data) == nil)
    try directory.write("", to: "board.yaml")
    #expect(
      lookup.installedFile(dataDirectory: nil, defaultDirectory: data) == data + "/board.yaml")
    try directory.write("", to: "system.yaml")
    #expect(
      lookup.installedFile(dataDirectory: nil, defaultDirectory: data) == data + "/system.yaml")
    #expect(
      lookup.installedFile(dataDirectory: data, defaultDirectory: data) == data + "/board.yaml")
  }
}
