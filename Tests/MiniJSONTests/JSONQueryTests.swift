// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONQueryTests {
  private let answer: ByteString = #"""
    { "id":"x", "choices":[{"usage":1,"text":"}]\"{"}], "note":"\\",
      "usage": {"prompt_tokens":12 , "prompt_tokens_details":{"cached_tokens":3},
      "completion_tokens":1.0e1,"total":-5} ,"error":null, "m\u006fdel":"gpt\n" }
    """#

  private func text(_ path: [StaticString], in text: ByteString) -> String? {
    text.withBytes { raw in
      JSONQuery.find(path, in: raw).map { String(decoding: raw[$0], as: UTF8.self) }
    }
  }

  @Test func findsNestedMembers() {
    #expect(text(["id"], in: answer) == "\"x\"")
    #expect(text(["note"], in: answer) == #""\\""#)
    #expect(text(["error"], in: answer) == "null")
    #expect(text(["usage", "prompt_tokens"], in: answer) == "12")
    #expect(text(["usage", "prompt_tokens_details", "cached_tokens"], in: answer) == "3")
    #expect(text(["usage", "total"], in: answer) == "-5")
    #expect(text(["choices"], in: answer) == #"[{"usage":1,"text":"}]\"{"}]"#)
    #expect(text(["model"], in: answer) == #""gpt\n""#)
    #expect(text(["usage", "id"], in: answer) == nil)
    #expect(text(["id", "x"], in: answer) == nil)
    #expect(text(["choices", "usage"], in: answer) == nil)
    #expect(text([], in: "1") == "1")
    #expect(text(["a"], in: #"{"a":1,"a":2}"#) == "1")
  }

  @Test func readsNumbersAndStrings() {
    answer.withBytes { raw in
      #expect(JSONQuery.int64(["usage", "prompt_tokens"], in: raw) == 12)
      #expect(JSONQuery.int64(["usage", "completion_tokens"], in: raw) == 10)
      #expect(JSONQuery.int64(["id"], in: raw) == nil)
      #expect(JSONQuery.string(["id"], in: raw) == "x")
      #expect(JSONQuery.string(["model"], in: raw) == "gpt\n")
      #expect(JSONQuery.string(["error"], in: raw) == nil)
      #expect(JSONQuery.kind(of: raw) == .object)
    }
  }

  @Test func findsElements() {
    let array: ByteString = #" [1, "a,]" ,[2,3],{"b":[4]}, null ] "#
    for (index, expected) in ["1", "\"a,]\"", "[2,3]", #"{"b":[4]}"#, "null"].enumerated() {
      array.withBytes { raw in
        let range = JSONQuery.element(index, in: raw)
        #expect(range.map { String(decoding: raw[$0], as: UTF8.self) } == expected)
      }
    }
    array.withBytes { #expect(JSONQuery.element(5, in: $0) == nil) }
    array.withBytes { #expect(JSONQuery.element(-1, in: $0) == nil) }
    answer.withBytes { #expect(JSONQuery.element(0, in: $0) == nil) }
    for empty: ByteString in ["[]", "[ ]", "", "1", " "] {
      empty.withBytes { #expect(JSONQuery.element(0, in: $0) == nil) }
    }
  }

  @Test func knowsKinds() {
    for (text, kind): (ByteString, JSONKind?) in [
      (" {}", .object), ("[", .array), ("\"", .string), ("-1", .number), ("\n0", .number),
      ("true", .true), ("false", .false), ("null", .null), ("", nil), ("  ", nil), ("x", nil),
    ] {
      #expect(text.withBytes { JSONQuery.kind(of: $0) } == kind)
    }
  }

  @Test func survivesEveryPrefixAndChange() {
    for count in 0...answer.count {
      let prefix = ByteString(Array(answer.bytes[..<count]))
      _ = text(["usage", "prompt_tokens_details", "cached_tokens"], in: prefix)
      _ = text(["nothing"], in: prefix)
    }
    for index in 0..<answer.count {
      for byte in [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x20, 0] as [UInt8] {
        var changed = answer.bytes
        changed[index] = byte
        _ = text(["nothing", "at", "all"], in: ByteString(changed))
        _ = text(["usage", "total"], in: ByteString(changed))
      }
    }
  }
}
