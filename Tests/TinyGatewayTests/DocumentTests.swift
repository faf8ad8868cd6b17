// SPDX-License-Identifier: MIT
import CDocuments
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
    let folder: ByteString = document.path.starts(with: "/docs/") ? "" : "/docs"
    let text = try File.read(root + folder + document.path, limit: 1 << 20)
    #expect(document.plain() == text, "run scripts/documents.sh")
    #expect(document.plainByteCount == text.count)
  }

  @Test func unpacksInPiecesOfAnySize() {
    let whole = Document.openAPI.plain(step: 1 << 20)
    for step in [1, 7, 258, 8191] { #expect(Document.openAPI.plain(step: step) == whole) }
  }

  @Test func unpacksWhatIsBrokenWithoutHarm() {
    let bytes = Array(Document.openAPI.packed.prefix(2000))
    for place in 0..<bytes.count {
      var broken = bytes
      broken[place] ^= UInt8(truncatingIfNeeded: place * 31 + 1)
      broken.withUnsafeBufferPointer { packed in
        let reader = cd_open(packed.baseAddress, packed.count)
        var output = [UInt8](repeating: 0, count: 100_000)
        #expect(cd_read(reader, &output, output.count) <= output.count)
        #expect(cd_read(reader, &output, output.count) <= output.count)
        cd_close(reader)
      }
    }
  }

  @Test(
    arguments: [
      (nil, false), ("", false), ("gzip", true), ("GZip", true), ("x-gzip", true), ("*", true),
      ("br, gzip;q=0.001", true), ("gzip;q=0", false), ("gzip; q=0.000", false),
      ("*;q=0", false), ("gzip;q=0, *", false), ("*;q=0, gzip", true), ("br", false),
      ("identity", false), ("gzip;q=0.5, identity;q=0.6", false), ("gzip, identity", true),
      ("identity;q=0.5, gzip;q=1.0", true), ("gzip;q=x", false), ("gzip;level=9", false),
      ("gzipped", false), ("deflate, gzip;q=1.000", true),
    ] as [(String?, Bool)])
  func sendsGzipToWhomTakesIt(_ field: String?, _ expected: Bool) {
    #expect(Document.takesGzip(field.map { ByteString(utf8: $0) }) == expected)
  }

  @Test func findsExactPathsOnly() throws {
    for (path, expected) in [
      ("/docs/API.md", "/docs/API.md"), ("/openapi.json", "/openapi.json"),
      ("/openapi.json?a=b", "/openapi.json"), ("/docs/api.md", nil), ("/docs/openapi.json", nil),
      ("/docs/", nil), ("/API.md", nil), ("/docs/API.md/", nil), ("/", "/"),
      ("/index.html", "/"), ("/index.html/", nil), ("/ui/", nil), ("/ui/app.js", nil),
    ] as [(String, String?)] {
      let found = Document.find(try RelayFixtures.head(path: path))
      #expect(found?.path.text == expected, "\(path)")
    }
  }

  @Test func tellsTheTextsApart() {
    let tags = [Document.reference, .openAPI].flatMap { document in
      [true, false].map { document.entityTag(isPacked: $0) }
    }
    #expect(Set(tags).count == 4)
    for tag in tags { #expect(tag.text.wholeMatch(of: /"[0-9a-f]{32}"/) != nil) }
  }

  @Test func comparesConditions() {
    let document = Document.openAPI
    let tag = document.entityTag(isPacked: true)
    for (condition, expected) in [
      (tag, true), ("W/" + tag, true), ("*", true), ("\"a\", " + tag + " ,\"b\"", true),
      ("\"a\"", false), ("", false), (Document.reference.entityTag(isPacked: true), false),
      (document.entityTag(isPacked: false), false),
      (ByteString(Array(tag.bytes.dropFirst().dropLast())), false),
    ] as [(ByteString, Bool)] {
      #expect(document.matches(condition, isPacked: true) == expected, "\(condition.text)")
    }
  }

  /// What runs here is told to nobody who has not logged in.
  @Test func saysNoVersion() {
    let version = String(cString: cp_version())
    #expect(version.count > 3)
    for document in [Document.reference, .openAPI] {
      #expect(!document.plain().text.contains(version))
    }
  }
}

extension Document {
  /// `docs/API.md`, for people.
  static var reference: Document { named("/docs/API.md") }
  /// `docs/openapi.json`, for programs.
  static var openAPI: Document { named("/openapi.json") }

  private static func named(_ path: String) -> Document {
    guard let document = Document(Array(path.utf8).span) else { preconditionFailure(path) }
    return document
  }

  /// The text as clients get it that take no gzip.
  func plain(step: Int = 8192) -> ByteString {
    let reader = DocumentReader(self)
    let text = Buffer()
    while reader.append(step, to: text) {}
    return text.byteString
  }
}
