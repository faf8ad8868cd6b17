// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONWriterTests {
  private func check(_ expected: ByteString, _ write: (inout JSONWriter) -> Void) throws {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    write(&json)
    #expect(buffer.byteString == expected)
    _ = try JSONDocument(buffer)
  }

  @Test func writesScalars() throws {
    try check("null") { $0.null() }
    try check("true") { $0.bool(true) }
    try check("false") { $0.bool(false) }
    try check("-9223372036854775808") { $0.integer(.min) }
    try check("0.25") { $0.fixedPoint(250_000, decimals: 6) }
    try check(#""a\"\n""#) { $0.string("a\"\n") }
    try check(#""a\\""#) { $0.string(ByteString(utf8: "a\\")) }
    try check(#""text""#) { $0.string(text: "te" + "xt") }
    try check("[1, 2]") { $0.raw(ByteString(utf8: "[1, 2]")) }
  }

  @Test func writesContainers() throws {
    try check("{}") {
      $0.beginObject()
      $0.endObject()
    }
    try check("[[],{},[1,2]]") {
      $0.beginArray()
      $0.beginArray()
      $0.endArray()
      $0.beginObject()
      $0.endObject()
      $0.beginArray()
      $0.integer(1)
      $0.integer(2)
      $0.endArray()
      $0.endArray()
    }
    try check(#"{"a":1,"b":[{"c":null},"x"],"d":true,"e\"":"f","天":"é","g":false}"#) {
      $0.beginObject()
      $0.member("a", 1)
      $0.key("b")
      $0.beginArray()
      $0.beginObject()
      $0.key("c")
      $0.null()
      $0.endObject()
      $0.string("x")
      $0.endArray()
      $0.member("d", true)
      $0.member("e\"", "f")
      $0.key(ByteString(utf8: "天"))
      $0.string("é")
      $0.key("g")
      $0.bool(false)
      $0.endObject()
    }
  }

  @Test func writesBehindOtherText() {
    let buffer = Buffer()
    buffer.append("data: ")
    var json = JSONWriter(buffer)
    json.beginObject()
    let value = ByteString(utf8: "v")
    json.member("k", value)
    json.endObject()
    #expect(buffer.byteString == "data: {\"k\":\"v\"}")
  }

  @Test func writesDeepNesting() throws {
    let expected = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
    try check(ByteString(utf8: expected)) {
      for _ in 0..<63 { $0.beginArray() }
      for _ in 0..<63 { $0.endArray() }
    }
  }
}
