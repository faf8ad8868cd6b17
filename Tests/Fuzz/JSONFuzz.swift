// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// One input of libFuzzer: the first two bytes choose where the text is cut, the rest is the text.
///
/// Besides not crashing: every cutting gives the same result, accepted text can be read, written
/// and read again, and edits of accepted text give text that is accepted.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = UnsafeRawBufferPointer(start: start + 2, count: count - 2)
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  JSONFuzz.checkCuts(text, steps)
  JSONFuzz.checkQueries(text)
  JSONFuzz.checkStrings(text)
  if JSONFuzz.checkDocument(text) { JSONFuzz.checkSplice(text, steps) }
  return 0
}

enum JSONFuzz {
  private static let watching: [StaticString] = ["model", "stream_options", "a"]

  private struct Report: Equatable {
    var error: JSONError?
    var numbers: [Int64] = []
    var lexemes: [ByteString?] = []
  }

  static func checkCuts(_ text: UnsafeRawBufferPointer, _ steps: [Int]) {
    for requiresObject in [true, false] {
      let whole = scan(text, [text.count], requiresObject)
      precondition(scan(text, steps, requiresObject) == whole, "cuts change the result")
      precondition(scan(text, [1], requiresObject) == whole, "single bytes change the result")
    }
  }

  /// Scans slices whose lengths go round through `steps`, each in memory of its own.
  private static func scan(
    _ text: UnsafeRawBufferPointer, _ steps: [Int], _ requiresObject: Bool
  ) -> Report {
    let scanner = JSONScanner(watching: watching, requiresObject: requiresObject)
    var report = Report()
    do throws(JSONError) {
      var index = 0
      var turn = 0
      while index < text.count {
        let end = min(index + steps[turn % steps.count], text.count)
        let slice = [UInt8](text[index..<end])
        try scanner.scan(slice.span)
        index = end
        turn += 1
      }
      try scanner.finish()
    } catch {
      report.error = error
      return report
    }
    for index in watching.indices {
      if let member = scanner.member(index) {
        report.numbers += [Int64(member.kind.rawValue), Int64(member.endOffset)]
        report.numbers += [Int64(member.keyOffset), Int64(member.valueOffset)]
      }
      report.lexemes.append(scanner.lexeme(index))
    }
    report.numbers += [scanner.asciiTextByteCount, scanner.nonASCIITextByteCount]
    report.numbers += [scanner.dataStringCount, scanner.arrayNumberCount]
    report.numbers.append(Int64(scanner.closingBraceOffset ?? -1))
    return report
  }

  static func checkQueries(_ text: UnsafeRawBufferPointer) {
    _ = JSONQuery.int64(["model", "a"], in: text)
    _ = JSONQuery.string(["a"], in: text)
    _ = JSONQuery.element(1, in: text)
    _ = JSONNumber.int64(text)
    _ = JSONNumber.fixedPoint(text, decimals: 6)
    _ = JSONString.unescaped(text)
  }

  static func checkStrings(_ text: UnsafeRawBufferPointer) {
    let lexeme = JSONString.lexeme(ByteString(text))
    precondition(isAccepted(lexeme, requiresObject: false), "escapes to what is no JSON")
    let contents = lexeme.withBytes { JSONString.unescaped($0) }
    let expected = ByteString(utf8: ByteString(text).text)
    precondition(contents == expected, "a string does not come back")
  }

  private static func isAccepted(_ text: ByteString, requiresObject: Bool) -> Bool {
    let scanner = JSONScanner(requiresObject: requiresObject, refusesDuplicates: false)
    do throws(JSONError) {
      try scanner.scan(text.bytes.span)
      try scanner.finish()
      return true
    } catch {
      return false
    }
  }

  /// Whether the text is accepted; if it is, writes it and compares.
  static func checkDocument(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let first = try? JSONDocument(ByteString(text)) else {
      precondition(
        !isAccepted(ByteString(text), requiresObject: false), "accepted, but no document")
      return false
    }
    let once = written(first)
    guard let second = try? JSONDocument(once) else {
      preconditionFailure("writes what is no JSON")
    }
    precondition(written(second) == once, "writing changes a value")
    if let value = first.root.member("a") {
      let range = JSONQuery.member("a", in: text)
      let found = range.map { ByteString(UnsafeRawBufferPointer(rebasing: text[$0])) }
      precondition(found == value.lexeme, "a query finds another value")
    }
    return true
  }

  private static func written(_ document: JSONDocument) -> ByteString {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    copy(document.root, to: &json, depth: 0)
    return buffer.byteString
  }

  private static func copy(_ value: JSONValue, to json: inout JSONWriter, depth: Int) {
    switch value.kind {
    case .object where depth < 60:
      json.beginObject()
      for (key, value) in value.members {
        json.key(key)
        copy(value, to: &json, depth: depth + 1)
      }
      json.endObject()
    case .array where depth < 60:
      json.beginArray()
      for element in value.elements { copy(element, to: &json, depth: depth + 1) }
      json.endArray()
    case .string: json.string(value.string ?? .empty)
    default: json.raw(value.lexeme)
    }
  }

  static func checkSplice(_ text: UnsafeRawBufferPointer, _ steps: [Int]) {
    let scanner = JSONScanner(watching: watching, refusesDuplicates: false)
    do throws(JSONError) {
      try scanner.scan(text)
      try scanner.finish()
    } catch {
      return
    }
    var splice = JSONSplice()
    if let member = scanner.member(0) {
      precondition(splice.replaceModel("\"new\n", member), "a value that cannot be replaced")
    }
    _ = splice.includeUsage(scanner, streamOptions: 1)
    precondition(splice.insertMember("x", "[1]", scanner), "a brace that cannot be found")
    let whole = applied(&splice, text, text.count)
    precondition(isAccepted(whole, requiresObject: true), "edits to what is no JSON")
    precondition(whole.count == text.count + splice.byteCountChange, "a wrong length")
    for step in steps {
      splice.rewind()
      precondition(applied(&splice, text, step) == whole, "cuts change the edits")
    }
  }

  private static func applied(
    _ splice: inout JSONSplice, _ text: UnsafeRawBufferPointer, _ step: Int
  ) -> ByteString {
    let buffer = Buffer()
    var index = 0
    while index < text.count {
      let end = min(index + step, text.count)
      splice.apply(UnsafeRawBufferPointer(rebasing: text[index..<end]), to: buffer)
      index = end
    }
    splice.finish(to: buffer)
    return buffer.byteString
  }
}
