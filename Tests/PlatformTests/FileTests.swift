// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

/// A folder of its own for each test.
final class FileTests {
  private let folder: ByteString

  init() throws {
    var template = [CChar]("/tmp/tinygateway-file-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil, let path = ByteString(cString: template) else {
      throw SystemError(result: -errno, call: "mkdtemp")
    }
    folder = path
  }

  deinit {
    for name: ByteString in ["a", "a.new", "b", "none", "relative", "absolute", "loop"] {
      _ = path(name).withCString { unlink($0) }
    }
    _ = folder.withCString { rmdir($0) }
  }

  private func path(_ name: ByteString) -> ByteString { folder + ByteString("/") + name }

  private func mode(_ path: ByteString) -> mode_t {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else { return 0 }
    return status.st_mode & 0o777
  }

  @Test func readsWhatItWrote() throws {
    for content in [ByteString("one"), .empty, ByteString([UInt8](repeating: 9, count: 100_000))] {
      try File.writeDurably(content, to: path("a"))
      #expect(try File.read(path("a"), limit: 100_000) == content)
    }
  }

  @Test func leavesNoTemporaryFile() throws {
    try File.writeDurably("one", to: path("a"))
    #expect(File.exists(path("a")))
    #expect(!File.exists(path("a.new")))
  }

  @Test func replacesWhatAStopLeftBehind() throws {
    try File.writeDurably("half of something longer", to: path("a.new"))
    try File.writeDurably("whole", to: path("a"))
    #expect(try File.read(path("a"), limit: 100) == "whole")
    #expect(!File.exists(path("a.new")))
  }

  @Test func keepsFilesPrivate() throws {
    try File.writeDurably("secret", to: path("a"))
    #expect(mode(path("a")) == 0o600)
    try File.writeDurably("open", to: path("b"), mode: 0o640)
    #expect(mode(path("b")) & ~0o640 == 0)
  }

  @Test func keepsTheOldContentWhenWritingFails() throws {
    try File.writeDurably("old", to: path("a"))
    // A folder in the place of the temporary file: it cannot be opened for writing.
    #expect(path("a.new").withCString { mkdir($0, 0o700) } == 0)
    #expect(throws: SystemError.self) { try File.writeDurably("new", to: path("a")) }
    #expect(try File.read(path("a"), limit: 100) == "old")
    _ = path("a.new").withCString { rmdir($0) }
  }

  @Test func replacesWhatIsKnownAndKeepsItsMode() throws {
    try File.writeDurably("old", to: path("a"))
    #expect(path("a").withCString { chmod($0, 0o664) } == 0)
    #expect(try File.replaceDurably("old", with: "new", at: path("a")))
    #expect(try File.read(path("a"), limit: 100) == "new")
    #expect(mode(path("a")) == 0o664)
    #expect(try !File.replaceDurably("old", with: "newer", at: path("a")))
    #expect(try File.read(path("a"), limit: 100) == "new")
    #expect(!File.exists(path("a.new")))
    #expect(try !File.replaceDurably("old", with: "new", at: path("none")))
    #expect(!File.exists(path("none")))
    #expect(try File.replaceDurably(.empty, with: "made", at: path("none")))
    #expect(mode(path("none")) == 0o600)
  }

  @Test func replacesTheTargetOfALink() throws {
    try File.writeDurably("old", to: path("a"))
    func link(_ target: ByteString, _ name: ByteString) {
      #expect(target.withCString { to in path(name).withCString { symlink(to, $0) } } == 0)
    }
    link("a", "relative")
    link(path("relative"), "absolute")
    link("loop", "loop")
    #expect(try File.replaceDurably("old", with: "new", at: path("absolute")))
    #expect(try File.read(path("a"), limit: 100) == "new")
    var status = stat()
    for name: ByteString in ["relative", "absolute"] {
      #expect(path(name).withCString { lstat($0, &status) } == 0)
      #expect(status.st_mode & S_IFMT == S_IFLNK)
    }
    #expect(try !File.replaceDurably("old", with: "new", at: path("loop")))
  }

  @Test func tellsWhatFailed() {
    let missing = #expect(throws: SystemError.self) { try File.read(path("none"), limit: 10) }
    #expect(missing?.number == ENOENT)
    let nowhere = #expect(throws: SystemError.self) {
      try File.writeDurably("x", to: path("none/a"))
    }
    #expect(nowhere?.number == ENOENT)
    #expect(throws: SystemError.self) { try File.read(folder, limit: 10) }
  }

  @Test func refusesLargeFiles() throws {
    try File.writeDurably(ByteString([UInt8](repeating: 1, count: 10_001)), to: path("a"))
    let error = #expect(throws: SystemError.self) { try File.read(path("a"), limit: 10_000) }
    #expect(error?.number == EFBIG)
    #expect(try File.read(path("a"), limit: 10_001).count == 10_001)
  }

  @Test func knowsFolders() {
    for (path, expected): (ByteString, ByteString) in [
      ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b"), ("", "."),
    ] {
      #expect(File.directory(of: path) == expected, "\(path.text)")
    }
  }
}
