// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

/// What a scanner says about a text, for comparing ways of cutting it.
struct ScannerReport: Equatable {
  var error: JSONError?
  var members: [[Int]] = []
  var lexemes: [ByteString?] = []
  var closing: Int?
  var hasMembers = false
  var text: [Int64] = []
}

/// Scanning in every way of cutting; the ways must agree.
enum ScannerChecks {
  static let watching: [StaticString] = ["model", "stream", "stream_options", "max_tokens", "é"]

  /// Scans `bytes` cut at `cuts`.
  static func scan(
    _ bytes: [UInt8], cuts: [Int] = [], any: Bool = false, duplicates: Bool = false,
    limits: JSONLimits = .standard
  ) -> ScannerReport {
    let scanner = JSONScanner(
      watching: watching, limits: limits, requiresObject: !any, refusesDuplicates: !duplicates)
    return scan(bytes, cuts: cuts, with: scanner)
  }

  static func scan(
    _ bytes: [UInt8], cuts: [Int], with scanner: JSONScanner
  ) -> ScannerReport {
    var report = ScannerReport()
    do throws(JSONError) {
      var start = 0
      for end in cuts + [bytes.count] {
        // A copy of its own, so that reading beyond the slice is found by the sanitizer.
        let slice = [UInt8](bytes[start..<end])
        try scanner.scan(slice.span)
        start = end
      }
      try scanner.finish()
    } catch {
      report.error = error
      return report
    }
    for index in watching.indices {
      let member = scanner.member(index)
      report.members.append(
        member.map { [Int($0.kind.rawValue), $0.keyOffset, $0.valueOffset, $0.endOffset] } ?? [])
      report.lexemes.append(scanner.lexeme(index))
    }
    report.closing = scanner.closingBraceOffset
    report.hasMembers = scanner.hasMembers
    report.text = [
      scanner.asciiTextByteCount, scanner.nonASCIITextByteCount, scanner.dataStringCount,
      scanner.arrayNumberCount,
    ]
    return report
  }

  /// Expects an error, or none, for every cut; and that no proper prefix is accepted.
  static func check(
    _ bytes: [UInt8], _ kind: JSONError.Kind?, at offset: Int? = nil, any: Bool = false,
    duplicates: Bool = false, limits: JSONLimits = .standard,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let text = String(decoding: bytes.prefix(120), as: UTF8.self)
    let whole = scan(bytes, any: any, duplicates: duplicates, limits: limits)
    #expect(whole.error?.kind == kind, "\(text)", sourceLocation: location)
    if let offset { #expect(whole.error?.offset == offset, "\(text)", sourceLocation: location) }
    if bytes.isEmpty || bytes.count > 2_000 { return }
    let single = scan(
      bytes, cuts: Array(1..<bytes.count), any: any, duplicates: duplicates, limits: limits)
    #expect(single == whole, "byte by byte: \(text)", sourceLocation: location)
    for cut in 0...bytes.count {
      let halves = scan(bytes, cuts: [cut], any: any, duplicates: duplicates, limits: limits)
      #expect(halves == whole, "cut at \(cut): \(text)", sourceLocation: location)
    }
    guard let closing = whole.closing else { return }
    for count in 0...closing {
      let prefix = scan(Array(bytes[..<count]), duplicates: duplicates, limits: limits)
      #expect(
        prefix.error == JSONError(.unexpectedEnd, at: count), "prefix \(count): \(text)",
        sourceLocation: location)
    }
  }

  static func check(
    _ text: String, _ kind: JSONError.Kind?, at offset: Int? = nil, any: Bool = false,
    duplicates: Bool = false, limits: JSONLimits = .standard,
    _ location: SourceLocation = #_sourceLocation
  ) {
    check(
      Array(text.utf8), kind, at: offset, any: any, duplicates: duplicates, limits: limits,
      location)
  }
}
