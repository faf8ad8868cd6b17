// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Testing

@testable import TinyGateway

/// The documents in the binary, and when they are sent again.
struct DocumentTests {
  @Test(arguments: [Document.reference, Document.openAPI])
  func isTheFileOfTheProject(_ document: Document) throws {
    let here = ByteString(utf8: #filePath)
    let root = File.directory(of: File.directory(of: File.directory(of: here)))
    let folder: ByteString = document.path.text.hasPrefix("/docs/") ? "" : "/docs"
    let text = try File.read(root + folder + ByteString(document.path), limit: 1 << 20)
    #expect(ByteString(Array(document.bytes)) == text)
  }

  @Test func findsTheTwoPathsOnly() throws {
    for (path, expected) in [
      ("/docs/API.md", "/docs/API.md"), ("/openapi.json", "/openapi.json"),
      ("/openapi.json?a=b", "/openapi.json"), ("/docs/api.md", nil), ("/docs/openapi.json", nil),
      ("/docs/", nil), ("/API.md", nil), ("/docs/API.md/", nil),
    ] as [(String, String?)] {
      let found = Document.find(try RelayFixtures.head(path: path))
      #expect(found?.path.text == expected, "\(path)")
    }
  }

  @Test func tellsTheTextsApart() {
    let tags = [Document.reference.entityTag, Document.openAPI.entityTag]
    #expect(tags[0] != tags[1])
    for tag in tags { #expect(tag.text.wholeMatch(of: /"[0-9a-f]{32}"/) != nil) }
  }

  @Test func comparesConditions() {
    let document = Document.openAPI
    let tag = document.entityTag
    for (condition, expected) in [
      (tag, true), ("W/" + tag, true), ("*", true), ("\"a\", " + tag + " ,\"b\"", true),
      ("\"a\"", false), ("", false), (Document.reference.entityTag, false),
      (ByteString(Array(tag.bytes.dropFirst().dropLast())), false),
    ] as [(ByteString, Bool)] {
      #expect(document.matches(condition) == expected, "\(condition.text)")
    }
  }

  /// What runs here is told to nobody who has not logged in.
  @Test func saysNoVersion() {
    let version = String(cString: cp_version())
    #expect(version.count > 3)
    for document in [Document.reference, .openAPI] {
      #expect(!String(decoding: document.bytes, as: UTF8.self).contains(version))
    }
  }
}
