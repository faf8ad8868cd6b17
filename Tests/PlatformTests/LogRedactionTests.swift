// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct LogRedactionTests {
  private func check(_ text: StaticString, _ expected: StaticString, from start: Int = 0) {
    let (source, target) = (Buffer(), Buffer())
    source.append(text)
    LogRedaction.append(source, from: start, to: target)
    #expect(target.byteString == ByteString(expected), "\(target.byteString.text)")
  }

  @Test func leavesOrdinaryTextAlone() {
    check("", "")
    check("request id=12 path=/v1/models", "request id=12 path=/v1/models")
    check("Grüße", "Grüße")
  }

  @Test func masksKeys() {
    check("key sk-abcdefghijklmnop used", "key sk-abcd*** used")
    check("sk-abcdefghijklmnop", "sk-abcd***")
    check("(sk-proj-1_2.3abcdefgh)", "(sk-proj***)")
    check("sk-aaaaaaaa,sk-bbbbbbbb", "sk-aaaa***,sk-bbbb***")
  }

  @Test func masksManagementTokensAndSessions() {
    check("token tgm-abcdefghijklmnop used", "token tgm-abc*** used")
    check("code \"tgc-abcdefghijklmnop\"", "code \"tgc-abc***\"")
    check("a=b; tg_session=0123456789abcdef; c=d", "a=b; tg_sess***; c=d")
  }

  @Test func leavesWhatOnlyLooksLikeAKey() {
    check("sk-short", "sk-short")
    check("ask-somebody-else-now", "ask-somebody-else-now")
    check("sk-", "sk-")
    check("xtgm-abcdefghijkl tgm-short", "xtgm-abcdefghijkl tgm-short")
  }

  @Test func masksBearerCredentials() {
    check("Authorization: Bearer abcdefghijk", "Authorization: Bearer ***")
    check("Bearer sk-abcdefghijk x", "Bearer *** x")
    check("Bearer of news", "Bearer of news")
  }

  @Test func masksKeysInAddresses() {
    check("GET /x?key=AIzaSyAbcdefgh&a=1", "GET /x?key=AIz***&a=1")
    check("apiKey=abcdefgh12", "apiKey=abc***")
  }

  @Test func keepsALineALine() {
    check("a\r\nb\u{0}c\u{7F}d\te", "a  b c d e")
  }

  @Test func leavesThePrefixAlone() {
    check("sk-abcdefghijklmnop sk-abcdefghijklmnop", "sk-abcdefghijklmnop sk-abcd***", from: 20)
    check("ab", "ab", from: 9)
  }
}
