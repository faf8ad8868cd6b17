// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

struct OpenFileTests {
  private let path = ByteString(
    utf8: FileManager.default.temporaryDirectory
      .appendingPathComponent("tinygateway-\(UUID().uuidString)").path)

  @Test func writesAndReadsInPieces() throws {
    defer { try? FileManager.default.removeItem(atPath: path.text) }
    let new = try OpenFile(making: path)
    try new.write("one ")
    try new.write("")
    try new.write("two")
    new.close()
    let file = try OpenFile(reading: path)
    #expect(try file.read(atMost: 5) == "one t")
    #expect(try file.read(atMost: 5) == "wo")
    #expect(try file.read(atMost: 5).isEmpty)
  }

  @Test func makesPrivateFilesAndReplacesNone() throws {
    defer { try? FileManager.default.removeItem(atPath: path.text) }
    let new = try OpenFile(making: path)
    new.close()
    let attributes = try FileManager.default.attributesOfItem(atPath: path.text)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(throws: SystemError.self) { try OpenFile(making: path) }
  }

  @Test func failsOnceClosed() throws {
    defer { try? FileManager.default.removeItem(atPath: path.text) }
    let new = try OpenFile(making: path)
    new.close()
    new.close()
    #expect(throws: SystemError.self) { try new.write("x") }
  }

  @Test func tellsWhatTheDiskHasLeft() throws {
    #expect(try #require(OpenFile.freeByteCount(near: path)) > 0)
    #expect(OpenFile.freeByteCount(near: "/no/such/folder/file") == nil)
  }
}
