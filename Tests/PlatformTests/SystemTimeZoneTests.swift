// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

/// Zones that files of the system name.
final class SystemTimeZoneTests {
  private var folders: [ByteString] = []

  deinit {
    for folder in folders {
      for name: ByteString in ["/TZ", "/localtime"] {
        _ = (folder + name).withCString { unlink($0) }
      }
      _ = folder.withCString { rmdir($0) }
    }
  }

  private func folder(_ files: [(StaticString, ByteString)]) throws -> ByteString {
    var template = [CChar]("/tmp/tinygateway-zone-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil, let path = ByteString(cString: template) else {
      throw SystemError(result: -errno, call: "mkdtemp")
    }
    folders.append(path)
    for (name, content) in files { try File.writeDurably(content, to: path + ByteString(name)) }
    return path
  }

  private let compiled: ByteString = "TZif2......\n......\nCET-1CEST,M3.5.0,M10.5.0/3\n"

  @Test func readsTheRuleOfRouters() throws {
    let path = try folder([("/TZ", "CST-8\n"), ("/localtime", compiled)])
    let found = try #require(SystemTimeZone.find(in: path))
    #expect(found.rule == "CST-8" && found.place == path + "/TZ")
    #expect(found.zone == TimeZone("Asia/Shanghai"))
  }

  @Test func readsTheEndOfACompiledZone() throws {
    for bad: ByteString in ["", "\n", "nonsense\n"] {
      let path = try folder([("/TZ", bad), ("/localtime", compiled)])
      let found = try #require(SystemTimeZone.find(in: path))
      #expect(found.zone == TimeZone("Europe/Berlin") && found.place == path + "/localtime")
    }
  }

  @Test func findsNothingInOtherFiles() throws {
    #expect(SystemTimeZone.find(in: try folder([])) == nil)
    for bad: ByteString in ["", "TZif", "TZif2\n\n", "TZif2\n", "\nUTC0\n", "TZif2\nUTC0"] {
      #expect(SystemTimeZone.find(in: try folder([("/localtime", bad)])) == nil)
    }
  }
}
