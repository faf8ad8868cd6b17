// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONDocumentTests {
  private func root(_ text: ByteString) throws -> JSONValue { try JSONDocument(text).root }

  @Test func readsEveryKind() throws {
    let value = try root(
      #"{"s":"a\n","i":-12,"f":1.5,"t":true,"f2":false,"n":null,"a":[1,[2],{}],"o":{"x":{"y":7}}}"#)
    #expect(value.kind == .object && value.count == 8)
    #expect(value.member("s")?.string == "a\n")
    #expect(value.member("s")?.lexeme == #""a\n""#)
    #expect(value.member("i")?.int64 == -12)
    #expect(value.member("f")?.int64 == nil)
    #expect(value.member("f")?.fixedPoint(decimals: 2) == 150)
    #expect(value.member("t")?.bool == true)
    #expect(value.member("f2")?.bool == false)
    #expect(value.member("n")?.isNull == true)
    #expect(value.member("n")?.bool == nil)
    #expect(value.member("a")?.count == 3)
    #expect(value.member("a")?.element(0)?.int64 == 1)
    #expect(value.member("a")?.element(1)?.element(0)?.int64 == 2)
    #expect(value.member("a")?.element(2)?.kind == .object)
    #expect(value.member("a")?.element(3)?.kind == nil)
    #expect(value.member("a")?.element(-1)?.kind == nil)
    #expect(value.member("o")?.member("x")?.member("y")?.int64 == 7)
    #expect(value.member("y")?.kind == nil)
    #expect(value.member("s")?.member("x")?.kind == nil)
    #expect(value.member("i")?.string == nil)
    #expect(value.string == nil && value.int64 == nil && value.bool == nil)
  }

  @Test func walksInOrder() throws {
    let value = try root(#" { "a" : [ ] , "b" : { "c" : [ 1 , 2 ] } , "a" : 3 , "\u0061":4 } "#)
    let members = value.members.map { "\($0.key.text)=\($0.value.lexeme.text)" }
    #expect(members == ["a=[ ]", #"b={ "c" : [ 1 , 2 ] }"#, "a=3", "a=4"])
    let array = try root("[[],[1,2],\"x\",{\"y\":[3]},4]")
    #expect(array.elements.map(\.lexeme.text) == ["[]", "[1,2]", "\"x\"", "{\"y\":[3]}", "4"])
    #expect(Array(array.members.map(\.key)).isEmpty)
    #expect(value.elements.map(\.kind).isEmpty)
  }

  @Test func findsTheFirstOfEqualKeys() throws {
    let value = try root(#"{"\u0061":1,"a":2}"#)
    #expect(value.member("a")?.int64 == 1)
    let key: ByteString = "a"
    #expect(value.member(key)?.int64 == 1)
  }

  @Test func acceptsScalars() throws {
    #expect(try root(" 12 ").int64 == 12)
    #expect(try root("\"x\"").string == "x")
    #expect(try root("null").isNull)
    #expect(try root("[]").count == 0)
  }

  @Test func refusesWhatTheScannerRefuses() {
    func refuse(
      _ text: ByteString, _ kind: JSONError.Kind, _ offset: Int, limits: JSONLimits = .standard,
      unique: Bool = false, object: Bool = false
    ) {
      #expect(throws: JSONError(kind, at: offset), "\(text.text)") {
        _ = try JSONDocument(
          text, limits: limits, refusesDuplicates: unique, requiresObject: object)
      }
    }
    refuse("", .unexpectedEnd, 0)
    refuse("{", .unexpectedEnd, 1)
    refuse("[1,]", .expectedValue, 3)
    refuse("{} {}", .trailingBytes, 3)
    refuse("[]", .notAnObject, 0, object: true)
    refuse(#"{"a":1,"a":1}"#, .duplicateKey, 7, unique: true)
    refuse("[[[]]]", .tooDeep, 2, limits: JSONLimits(depth: 2))
    refuse("[1,2,3]", .tooManyValues, 5, limits: JSONLimits(nodeCount: 3))
    refuse(#"{"a":1}"#, .tooManyValues, 5, limits: JSONLimits(nodeCount: 2))
  }

  @Test func takesSpansAndBuffers() throws {
    let buffer = Buffer()
    buffer.append("{\"a\":1}")
    let fromBuffer = try JSONDocument(buffer)
    buffer.clear()
    buffer.append("XXXXXXX")
    #expect(fromBuffer.root.member("a")?.int64 == 1)
    let bytes: [UInt8] = Array("[2]".utf8)
    #expect(try JSONDocument(bytes.span).root.element(0)?.int64 == 2)
  }

  @Test func survivesEveryPrefix() {
    let text: ByteString = #"{"a":[1,{"b":"\u00e9\\"},null],"c":{"d":[[]]},"e":"天"}"#
    for count in 0..<text.count {
      #expect(throws: JSONError(.unexpectedEnd, at: count)) {
        _ = try JSONDocument(ByteString(Array(text.bytes[..<count])))
      }
    }
  }

  @Test func comesOutAsItWentIn() throws {
    let text: ByteString =
      #"{"a":[1,{"b":"é\\\n","":-1.50e3},null,[],{}],"c":{"d":[[true]]},"e":"天"}"#
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    copy(try root(text), to: &json)
    #expect(buffer.byteString == text)
  }

  private func copy(_ value: JSONValue, to json: inout JSONWriter) {
    switch value.kind {
    case .object:
      json.beginObject()
      for (key, value) in value.members {
        json.key(key)
        copy(value, to: &json)
      }
      json.endObject()
    case .array:
      json.beginArray()
      for element in value.elements { copy(element, to: &json) }
      json.endArray()
    case .string: json.string(value.string ?? .empty)
    default: json.raw(value.lexeme)
    }
  }
}
