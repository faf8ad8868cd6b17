// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct URLTests {
  private func check(
    _ text: StaticString, secure: Bool, _ host: ByteString, _ port: Int, _ path: ByteString,
    _ authority: ByteString, location: SourceLocation = #_sourceLocation
  ) {
    guard let url = URL(ByteString(text)) else {
      Issue.record("refused: \(text)", sourceLocation: location)
      return
    }
    #expect(url.isSecure == secure, sourceLocation: location)
    #expect(url.host == host, sourceLocation: location)
    #expect(url.port == port, sourceLocation: location)
    #expect(url.path == path, sourceLocation: location)
    #expect(url.authority == authority, sourceLocation: location)
  }

  @Test func readsItsParts() {
    check("https://api.openai.com", secure: true, "api.openai.com", 443, "", "api.openai.com")
    check("https://a/v1", secure: true, "a", 443, "/v1", "a")
    check("http://a:8080/v1/x", secure: false, "a", 8080, "/v1/x", "a:8080")
    check("http://127.0.0.1:11434", secure: false, "127.0.0.1", 11434, "", "127.0.0.1:11434")
    check("http://[::1]:80/x", secure: false, "::1", 80, "/x", "[::1]:80")
    check("https://[2001:DB8::1]", secure: true, "2001:db8::1", 443, "", "[2001:db8::1]")
  }

  @Test func lowersSchemeAndHostOnly() {
    check(
      "HTTPS://API.Example.COM/V1", secure: true, "api.example.com", 443, "/V1", "api.example.com")
  }

  @Test func dropsSlashesAtTheEnd() {
    check("http://a/", secure: false, "a", 80, "", "a")
    check("http://a/v1///", secure: false, "a", 80, "/v1", "a")
  }

  @Test func keepsEscapes() {
    check("http://a/x%20y", secure: false, "a", 80, "/x%20y", "a")
  }

  @Test func refusesOtherSchemesAndMissingHosts() {
    for text: ByteString in [
      "", "a", "a.b/c", "//a", "http:", "http:/a", "http://", "http:///x", "https://:443",
      "ftp://a", "file:///etc/passwd", "unix:/x", "httpx://a", "javascript:1", " http://a",
    ] {
      #expect(URL(text) == nil, "\(text.text)")
    }
  }

  @Test func refusesUserInfoQueriesAndFragments() {
    for text: ByteString in [
      "http://u@a", "http://u:p@a/", "http://a@b/", "http://a/@", "http://a?x", "http://a/x?y=1",
      "http://a#x", "http://a/x#y", "http://a\\b", "http://a\\@b/",
    ] {
      #expect(URL(text) == nil, "\(text.text)")
    }
  }

  @Test func refusesInvisibleBytes() {
    for text in [
      "http://a b", "http://a/b c", "http://a/\u{0}", "http://a\r\n", "http://ä", "http://a/ä",
      "http://a\u{7F}",
    ] {
      #expect(URL(ByteString(utf8: text)) == nil, "\(text)")
    }
  }

  @Test func refusesBadHostsAndPorts() {
    for text: ByteString in [
      "http://a:0", "http://a:65536", "http://a:99999", "http://a:-1", "http://a:x", "http://a:",
      "http://a:1:2", "http://[::1", "http://[]", "http://[x]", "http://[::1]x",
      "http://[1.2.3.4]:",
      "http://[:::]", "http://::1", "http://a,b", "http://a%41",
    ] {
      #expect(URL(text) == nil, "\(text.text)")
    }
    let long = ByteString([UInt8](repeating: 0x61, count: 254))
    #expect(URL(ByteString("http://") + long) == nil)
    #expect(URL(ByteString("http://") + ByteString(Array(long.bytes.dropLast()))) != nil)
  }

  @Test func refusesBrokenEscapes() {
    for text: ByteString in [
      "http://a/%", "http://a/%4", "http://a/%zz", "http://a/%00", "http://a/%0a",
    ] {
      #expect(URL(text) == nil, "\(text.text)")
    }
  }

  /// `refused`: the counts of bytes at which the text is not a URL.
  private func checkPrefixes(_ text: String, refused: Set<Int>) {
    for count in 0...text.utf8.count {
      let prefix = String(text.prefix(count))
      #expect((URL(ByteString(utf8: prefix)) == nil) == refused.contains(count), "\(prefix)")
    }
  }

  @Test func judgesEveryPrefix() {
    //             0       8         17   22         33
    checkPrefixes("https://api.a.com:8443/v1/x%20/y", refused: Set(0...8).union([18, 28, 29]))
    checkPrefixes("http://[2001:db8::1]:80/a", refused: Set(0...19).union([21]))
    checkPrefixes("http://127.0.0.1:65535", refused: Set(0...7).union([17]))
    #expect(URL("http://127.0.0.1:655350") == nil)
  }

  @Test func judgesEveryByteOfAHost() {
    for byte in UInt8.min...UInt8.max {
      let text = ByteString(Array("http://a".utf8) + [byte] + Array("c/v1".utf8))
      let isName = ASCII.isLetter(byte) || ASCII.isDigit(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
      let isSlash = byte == UInt8(ascii: "/")
      #expect((URL(text) != nil) == (isName || isSlash), "byte \(byte)")
      if isName { #expect(URL(text)?.host == ByteString([0x61, byte, 0x63]).lowercased) }
      if isSlash { #expect(URL(text)?.path == "/c/v1") }
    }
  }

  @Test func judgesEveryByteOfAPath() {
    for byte in UInt8.min...UInt8.max {
      let text = ByteString(Array("http://a/b".utf8) + [byte] + Array("c".utf8))
      let isRefused = byte <= 0x20 || byte >= 0x7F || Array("@?#\\%".utf8).contains(byte)
      #expect((URL(text) == nil) == isRefused, "byte \(byte)")
      if !isRefused { #expect(URL(text)?.path == ByteString([0x2F, 0x62, byte, 0x63])) }
    }
  }

  @Test func judgesEveryByteOfAPort() {
    for byte in UInt8.min...UInt8.max {
      let text = ByteString(Array("http://a:8".utf8) + [byte])
      let isPort = ASCII.isDigit(byte) || byte == UInt8(ascii: "/")
      #expect((URL(text) != nil) == isPort, "byte \(byte)")
    }
  }
}
